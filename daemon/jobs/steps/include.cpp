#include "daemon/jobs/steps/include.hpp"

#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/include_limit.hpp"
#include "daemon/git/tree/included_files.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/steps/untracked.hpp"

namespace wtpool::jobs {
namespace {

std::string left_out(const git::Included& included, std::uint64_t limit) {
  return std::to_string(included.left_out) + (included.left_out == 1 ? " file" : " files") + " that .worktreeinclude names (" +
         std::to_string(included.left_out_bytes) + " bytes) did not fit: the pool's 'include' allows " + std::to_string(limit) +
         " bytes in all";
}

}  // namespace

std::vector<std::string> bring_included(const JobContext& job, const std::string& git_id, const disk::SlotLock& lock) {
  const auto& pool = *job.pool;
  if (!pool.place.worktree) return {};
  const std::uint64_t limit = disk::include_limit(read_file(pool.files.config()).value_or(""));
  if (limit == 0) return {};
  const git::Git source({pool.place.source.str(), *pool.place.worktree}, job.git_context(&lock));
  const auto included = git::include_files(source, job.slot_path().string(), limit);
  FAILPOINT("acquire.included");
  if (included.files > 0) {
    const auto looked = git::look(job.slot_git(git_id, lock), git::Untracked::all, false);
    remember_untracked(job, git_id, looked.untracked);
  }
  if (included.left_out == 0) return {};
  return {left_out(included, limit)};
}

}  // namespace wtpool::jobs
