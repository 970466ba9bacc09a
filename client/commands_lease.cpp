// acquire and release: the verbs that change who holds what.
#include <unistd.h>

#include "client/ask.hpp"
#include "client/commands.hpp"
#include "common/names.hpp"
#include "common/platform/process.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

// The user left while the daemon was already done. A lease that a key may have brought back is not ours to end: unconfirmed,
// it is the daemon that knows whether to roll it back once the connection is closed.
void give_back(Connection& connection, const proto::AcquireParams& asked, const proto::AcquireResult& got, Context& context,
               Interrupts& interrupts) {
  if (asked.key) return;
  proto::ReleaseParams release;
  release.scope.pool = got.pool;
  release.target.lease_id = got.lease_id;
  release.caller_pids = platform::ancestors_of(::getpid());
  const Answer answer = connection.call(release, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (answer.error) context.output.error(*answer.error);
}

}  // namespace

int run_command(const AcquireCommand& command, Context& context) {
  // The daemon would see a name of broken bytes mended, so it is judged here as well.
  if (const auto why = bad_name(command.name)) {
    throw Error(ErrorKind::bad_name, "cannot acquire " + printable(command.name) + ": the name " + *why);
  }
  proto::AcquireParams params;
  params.scope = context.scope();
  params.name = command.name;
  params.commit = command.commit;
  params.group = command.group;
  params.key = command.key;
  params.unique_sha = command.unique_sha;
  params.resume = command.resume;
  params.replace = command.replace;
  params.confirm = true;
  params.progress = context.output.wants_progress();

  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Connection& connection = opened.connection;
  Interrupts interrupts;
  const Answer answer = connection.call(params, {context.output, interrupts, OnSignal::cancel, std::nullopt});
  const auto acquired = result_of<proto::AcquireResult>(answer, context, interrupts);
  interrupts.drain();
  if (answer.cancel_asked || interrupts.count() > 0) {
    give_back(connection, params, acquired, context, interrupts);
    throw Interrupted{interrupts.last()};
  }
  const std::string text = context.globals.json ? proto::to_json_text(acquired) : acquired.path;
  if (const int failed = write_result(context, text + "\n")) return failed;  // unconfirmed, it is rolled back
  const Answer confirmed =
      connection.call(proto::ConfirmParams{acquired.lease_id}, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (confirmed.error) throw *confirmed.error;
  return 0;
}

int run_command(const ReleaseCommand& command, Context& context) {
  proto::ReleaseParams params;
  params.scope = context.scope();
  if (command.target) {
    params.target.target = command.target;
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
  if (released.already) context.output.say("already released");
  if (released.trash_id) context.output.say("kept as " + *released.trash_id);
  if (interrupts.count() > 0) throw Interrupted{interrupts.last()};  // released all the same
  return 0;
}

}  // namespace wtpool::client
