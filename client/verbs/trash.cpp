// trash: work that a release kept.
#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

int run_command(const TrashListCommand&, Context& context) {
  proto::TrashListParams params;
  params.scope = context.scope();
  const auto list = ask<proto::TrashListResult>(context, params, kReportLimit);
  return write_result(context, context.globals.json ? proto::to_json_text(list) + "\n" : render_trash(list.entries));
}

int run_command(const TrashRestoreCommand& command, Context& context) {
  proto::TrashRestoreParams params;
  params.scope = context.scope();
  params.id = command.id;
  params.branch = command.branch;
  const auto restored = ask<proto::TrashRestoreResult>(context, params);
  context.output.say("restored as branch " + restored.branch);
  return context.globals.json ? write_result(context, proto::to_json_text(restored) + "\n") : 0;
}

int run_command(const TrashDropCommand& command, Context& context) {
  proto::TrashDropParams params;
  params.scope = context.scope();
  params.id = command.id;
  static_cast<void>(ask<proto::EmptyResult>(context, params));
  return 0;
}

}  // namespace wtpool::client
