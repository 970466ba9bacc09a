#include "daemon/jobs/slot/fault_proof.hpp"

#include <unistd.h>

#include <filesystem>

#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/jobs/slot/blame.hpp"

namespace wtpool::jobs {
namespace {

// What every job writes to. Root passes every check of permissions, but not that of a file system that is read-only.
std::optional<std::string> not_writable(const ServedPool& pool) {
  const disk::path common(pool.place.source.str());
  for (const disk::path& directory :
       {common, common / "worktrees", common / "refs", common / "refs/heads", common / "objects", pool.files.root}) {
    if (!lstat_of(directory)) continue;
    if (::access(directory.c_str(), W_OK | X_OK) != 0) return directory.string() + " cannot be written to";
  }
  return std::nullopt;
}

// Reads the configuration, the repository's format and its HEAD, as every git in it does first.
std::optional<std::string> git_fails_in_source(const JobContext& job) {
  auto context = job.git_context(nullptr);
  context.stop = {};
  context.deadline = std::chrono::steady_clock::time_point::max();
  git::Command ask;
  ask.arguments = {"rev-parse", "--git-dir"};
  ask.limit = std::chrono::seconds(20);
  try {
    (void)git::Git({job.pool->place.source.str(), {}}, context).must(ask);
    return std::nullopt;
  } catch (const core::Error& error) {
    return error.message;
  }
}

bool blames_slot(core::Fault fault) { return fault == core::Fault::slot_fault || fault == core::Fault::quarantine; }

}  // namespace

core::Fault proven_fault(const JobContext& job, core::Fault fault, const core::Error& error) {
  const bool may_be_hosts = error.git || error.kind == core::ErrorKind::permission_denied ||
                            error.kind == core::ErrorKind::git_failed || error.kind == core::ErrorKind::git_timeout;
  if (!blames_slot(fault) || !may_be_hosts || !job.pool) return fault;
  auto why = git_fails_in_source(job);
  if (!why) why = not_writable(*job.pool);
  if (!why) return fault;
  log_warn("no slot of pool " + job.pool->key.str() + " is to blame: " + *why);
  return core::Fault::host_fault;
}

}  // namespace wtpool::jobs
