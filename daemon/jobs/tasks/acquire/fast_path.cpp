#include "daemon/jobs/tasks/acquire/fast_path.hpp"

#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/timed.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"

namespace wtpool::jobs {

std::unique_ptr<ShortWay> ShortWay::stage(const JobContext& job, const std::string& git_id, const Oid& from,
                                          const core::Marker& held) {
  const auto entry = job.entry(git_id);
  auto head = git::HeadLock::take(entry.entry, from, held.lease.name);
  if (!head) return nullptr;
  auto marker = disk::MarkerFile(entry.marker()).stage(held);
  return std::unique_ptr<ShortWay>(new ShortWay(std::move(*head), std::move(marker), held.lease));
}

void ShortWay::sync(const disk::StagedMarker* acquiring, const Fd& index) {
  std::vector<int> descriptors{head_.descriptor(), held_.descriptor()};
  if (acquiring != nullptr) descriptors.push_back(acquiring->descriptor());
  if (index.valid()) descriptors.push_back(index.get());
  {
    const Timed timed("files", "synced together");
    sync_together(descriptors, "the slot of " + lease_.name);
  }
  FAILPOINT("acquire.short-way-staged");
}

bool ShortWay::attach(const git::Git& source, Steps& steps, const std::function<void()>& remove_branch,
                      const std::function<void()>& meanwhile) {
  git::RefTransaction transaction;
  transaction.create("refs/heads/" + lease_.name, lease_.full_sha);
  auto begun = transaction.begin(source);
  meanwhile();
  try {
    if (!git::RefTransaction::finish(source, std::move(begun))) return false;
  } catch (const core::Error&) {
    // It ended as it was making the branch: whether there is one, the undo finds out.
    steps.done("remove branch " + lease_.name, remove_branch);
    throw;
  }
  steps.done("remove branch " + lease_.name, remove_branch);
  FAILPOINT("acquire.branch-made");
  head_.commit(lease_.full_sha);
  FAILPOINT("acquire.head-attached");
  return true;
}

}  // namespace wtpool::jobs
