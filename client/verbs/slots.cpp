// ls, inspect, path, repair: one slot or many, as they are.
#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "client/verbs/watch_screen.hpp"

namespace wtpool::client {
namespace {

// Or there are some, and none of them can be listed now.
bool no_pool_yet(Context& context) {
  return ask<proto::PoolListResult>(context, proto::PoolListParams{}, kReportLimit).pools.empty();
}

}  // namespace

int run_command(const ListCommand& command, Context& context) {
  proto::SlotListParams params;
  params.scope = context.scope();
  params.git_status = command.git_status;
  if (command.watch) return watch_slots(params, context);
  const auto list = ask<proto::SlotListResult>(context, params, command.git_status ? 5 * kReportLimit : kReportLimit);
  if (list.slots.empty() && !context.globals.json && no_pool_yet(context))
    context.output.lines("hint: there is no pool yet: wtpool init --source REPO\n");
  return write_result(context, context.globals.json ? proto::to_json_text(list) + "\n" : render_slots(list.slots));
}

int run_command(const InspectCommand& command, Context& context) {
  proto::SlotInspectParams params;
  params.scope = context.scope_of(command.target);
  params.target = target_of(command.target);
  const auto slot = ask<proto::SlotInfo>(context, params, kReportLimit);
  return write_result(context, context.globals.json ? proto::to_json_text(slot) + "\n" : render_slot(slot));
}

int run_command(const PathCommand& command, Context& context) {
  proto::SlotPathParams params;
  params.scope = context.scope_of(command.target);
  params.target = target_of(command.target);
  try {
    const auto found = ask<proto::SlotPathResult>(context, params, kReportLimit);
    return write_result(context, (context.globals.json ? proto::to_json_text(found) : found.path) + "\n");
  } catch (const proto::Error& error) {
    // a question, asked in scripts, whose answer is no
    if (error.kind != proto::ErrorKind::not_held && error.kind != proto::ErrorKind::slot_unknown) throw;
    return 1;
  }
}

int run_command(const RepairCommand& command, Context& context) {
  proto::SlotRepairParams params;
  params.scope = context.scope_of(command.slot);
  params.slot = named(command.slot);
  params.discard = command.discard;
  static_cast<void>(ask<proto::EmptyResult>(context, params));
  return 0;
}

}  // namespace wtpool::client
