// acquire, renew and release: the verbs that change who holds what.
#include <unistd.h>

#include <cstdlib>

#include "client/verbs/acquire_request.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/lease_variables.hpp"
#include "client/verbs/verbs.hpp"
#include "common/platform/process.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::client {
namespace {

// The lease that `run`, or `eval "$(wtpool acquire --env ...)"`, gave to whoever calls.
std::optional<std::string> own_lease() {
  const char* lease = std::getenv("WTPOOL_LEASE");
  return lease != nullptr && *lease != '\0' ? std::optional<std::string>(lease) : std::nullopt;
}

// For `eval` of a shell: each variable on a line of its own, and then what exports them.
std::string as_shell_lines(const proto::AcquireResult& lease, const std::filesystem::path& socket) {
  std::string lines;
  std::string names;
  for (const auto& [name, value] : lease_variables(lease, socket)) {
    if (!value) continue;
    lines += name + "=" + proto::shell_word(*value) + "\n";
    names += " " + name;
  }
  return lines + "export" + names + "\n";
}

}  // namespace

int run_command(const AcquireCommand& command, Context& context) {
  const proto::AcquireParams params = acquire_params(command, context);
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Connection& connection = opened.connection;
  Interrupts interrupts;
  const auto acquired = acquire(connection, params, context, interrupts);
  std::string text = (context.globals.json ? proto::to_json_text(acquired) : acquired.path) + "\n";
  if (command.env) text = as_shell_lines(acquired, opened.socket);
  if (const int failed = write_result(context, text)) return failed;  // unconfirmed, it is rolled back
  proto::ConfirmParams confirm;
  confirm.lease_id = acquired.lease_id;
  const Answer confirmed = connection.call(confirm, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (confirmed.error) throw *confirmed.error;
  return 0;
}

int run_command(const ReleaseCommand& command, Context& context) {
  proto::ReleaseParams params;
  params.scope = context.scope();
  if (command.target) {
    params.target = target_of(*command.target);
    params.lease_id = command.lease;
  } else {
    params.target.lease_id = command.lease;
  }
  if (!command.lease) params.held_by = own_lease();
  params.dirty = command.dirty;
  params.delete_remote = command.delete_remote;
  params.keep_branch = command.keep_branch;
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
  params.scope = context.scope();
  if (command.lease) {
    params.target.lease_id = command.lease;
  } else {
    params.target = target_of(command.target);
    params.held_by = own_lease();
  }
  if (command.ttl) params.ttl_seconds = command.ttl->count();
  static_cast<void>(ask<proto::RenewResult>(context, params, kReportLimit));
  return 0;
}

}  // namespace wtpool::client
