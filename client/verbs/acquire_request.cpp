#include "client/verbs/acquire_request.hpp"

#include <unistd.h>

#include "common/base/names.hpp"
#include "common/platform/process.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

// The user left while the daemon was already done. A lease that a key may have brought back is not ours to end: unconfirmed,
// it is the daemon that knows whether to roll it back once the connection is closed.
void give_back(Connection& connection, const proto::AcquireParams& asked, const proto::AcquireResult& got, Context& context,
               Interrupts& interrupts) {
  if (asked.key || asked.reuse) return;
  proto::ReleaseParams release;
  release.scope.pool = got.pool;
  release.target.lease_id = got.lease_id;
  release.caller_pids = platform::ancestors_of(::getpid());
  const Answer answer = connection.call(release, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (answer.error) context.output.error(*answer.error);
}

}  // namespace

proto::AcquireParams acquire_params(const AcquireCommand& command, const Context& context) {
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
  params.exclude_submodule_tags = command.exclude_submodule_tags;
  params.verify = command.verify;
  params.frozen_only = command.frozen_only;
  params.restock = command.restock;
  params.fetch = command.fetch;
  params.resume = command.resume;
  params.replace = command.replace;
  params.reuse = command.reuse;
  if (command.wait) params.wait_ms = command.wait->count();
  if (command.ttl) params.ttl_seconds = command.ttl->count();
  params.owner_pid = command.owner_pid;
  if (command.owner_pid) params.lease_kind = proto::LeaseKind::process;
  params.confirm = true;
  params.progress = context.output.wants_progress();
  return params;
}

proto::AcquireResult acquire(Connection& connection, const proto::AcquireParams& params, Context& context,
                             Interrupts& interrupts) {
  const Answer answer = connection.call(params, {context.output, interrupts, OnSignal::cancel, std::nullopt});
  auto acquired = result_of<proto::AcquireResult>(answer, context, interrupts);
  interrupts.drain();
  if (answer.cancel_asked || interrupts.count() > 0) {
    give_back(connection, params, acquired, context, interrupts);
    throw Interrupted{interrupts.last()};
  }
  return acquired;
}

}  // namespace wtpool::client
