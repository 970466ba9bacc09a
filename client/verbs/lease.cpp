// acquire, renew and release: the verbs that change who holds what.
#include <unistd.h>

#include <cstdlib>

#include "client/run/hooks.hpp"
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

// What cannot be asked is no reason to keep the slot, and a hook that fails is none either.
void run_release_hooks(Opened& opened, const proto::ReleaseParams& release, Context& context, Interrupts& interrupts) {
  proto::HooksGetParams params;
  params.scope = release.scope;
  params.target = release.target;
  const Answer answer = opened.connection.call(params, {context.output, interrupts, OnSignal::cancel, kReportLimit});
  if (answer.error) {
    if (answer.cancel_asked) throw Interrupted{interrupts.last()};
    return;
  }
  const auto hooks = proto::decode_result<proto::HooksResult>(answer.result);
  if (!hooks.held || !hooks.held->lease) return;
  const auto& lease = release.lease_id ? release.lease_id : release.held_by;
  if (lease && *lease != hooks.held->lease->id) return;
  try {
    run_hooks(hooks, "pre_release", lease_of(*hooks.held), opened.socket, context, interrupts);
  } catch (const proto::Error& failed) {
    context.output.warn(failed.message);
  }
}

}  // namespace

int run_command(const AcquireCommand& command, Context& context) {
  const proto::AcquireParams params = acquire_params(command, context);
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Connection& connection = opened.connection;
  Interrupts interrupts;
  auto acquired = acquire(connection, params, context, interrupts);
  if (command.hooks) run_acquire_hooks(connection, acquired, opened.socket, context, interrupts);
  acquired.hooks.reset();  // for this program, and not a part of its result
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
  params.scope = command.target ? context.scope_of(*command.target) : context.scope();
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
  run_release_hooks(opened, params, context, interrupts);
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
  params.scope = command.lease ? context.scope() : context.scope_of(command.target);
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
