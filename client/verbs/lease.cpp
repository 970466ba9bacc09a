// acquire, renew and release: the verbs that change who holds what.
#include <unistd.h>

#include "client/verbs/acquire_request.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/platform/process.hpp"

namespace wtpool::client {

int run_command(const AcquireCommand& command, Context& context) {
  const proto::AcquireParams params = acquire_params(command, context);
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Connection& connection = opened.connection;
  Interrupts interrupts;
  restore_first(connection, command, context, interrupts);
  const auto acquired = acquire(connection, params, context, interrupts);
  const std::string text = context.globals.json ? proto::to_json_text(acquired) : acquired.path;
  if (const int failed = write_result(context, text + "\n")) return failed;  // unconfirmed, it is rolled back
  proto::ConfirmParams confirm;
  confirm.lease_id = acquired.lease_id;
  const Answer confirmed = connection.call(confirm, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (confirmed.error) throw *confirmed.error;
  return 0;
}

int run_command(const ReleaseCommand& command, Context& context) {
  proto::ReleaseParams params;
  params.scope = command.target ? context.scope_of(*command.target) : context.scope();
  if (command.target) {
    params.target = target_of(*command.target);
    params.lease_id = command.lease;
  } else {
    params.target.lease_id = command.lease;
  }
  params.dirty = command.dirty;
  params.delete_remote = command.delete_remote;
  params.wait = command.wait;
  params.progress = context.output.wants_progress();
  params.caller_pids = platform::ancestors_of(::getpid());

  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts interrupts;
  const Answer answer = opened.connection.call(params, {context.output, interrupts, OnSignal::cancel, std::nullopt});
  const auto released = result_of<proto::ReleaseResult>(answer, context, interrupts);
  if (released.already)
    context.output.say("already released" + (command.target ? ": nothing is held as '" + *command.target + "'" : ""));
  if (released.trash_id) context.output.say("kept as " + *released.trash_id + " (wtpool trash restore makes a branch of it)");
  if (interrupts.count() > 0) throw Interrupted{interrupts.last()};  // released all the same
  return 0;
}

int run_command(const RenewCommand& command, Context& context) {
  proto::RenewParams params;
  params.scope = context.scope_of(command.target);
  params.target = target_of(command.target);
  if (command.ttl) params.ttl_seconds = command.ttl->count();
  static_cast<void>(ask<proto::RenewResult>(context, params, kReportLimit));
  return 0;
}

}  // namespace wtpool::client
