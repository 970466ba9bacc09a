// template: what new slots are made of.
#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

int run_command(const WarmCommand& command, Context& context) {
  proto::WarmParams params;
  params.scope = context.scope();
  params.count = command.count;
  params.group = command.group;
  params.wait = command.wait;
  const auto result = ask<proto::WarmResult>(context, params);
  if (!context.globals.json) return 0;
  return write_result(context, proto::to_json_text(result) + "\n");
}

int run_command(const TemplateListCommand&, Context& context) {
  proto::TemplateListParams params;
  params.scope = context.scope();
  const auto list = ask<proto::TemplateListResult>(context, params, kReportLimit);
  return write_result(context, context.globals.json ? proto::to_json_text(list) + "\n" : render_templates(list.templates));
}

int run_command(const TemplateDropCommand& command, Context& context) {
  proto::TemplateDropParams params;
  params.scope = context.scope();
  params.id = command.id;
  static_cast<void>(ask<proto::EmptyResult>(context, params));
  return 0;
}

}  // namespace wtpool::client
