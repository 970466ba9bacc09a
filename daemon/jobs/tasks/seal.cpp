#include "daemon/jobs/tasks/seal.hpp"

#include <algorithm>

#include "common/platform/memory.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"

namespace wtpool::jobs {
namespace {

core::done::NotSealed::Why why_of(git::NoSeal::Why why) {
  using Why = core::done::NotSealed::Why;
  switch (why) {
    case git::NoSeal::Why::busy:
      return Why::busy;
    case git::NoSeal::Why::dirty:
      return Why::dirty;
    case git::NoSeal::Why::limit:
      return Why::limit;
    case git::NoSeal::Why::unsupported:
      return Why::unsupported;
  }
  return Why::unsupported;
}

// What git reads of the slot's own before it looks at the tree, and what says that the tree is this slot's.
std::vector<std::string> private_files(const JobContext& job) {
  const auto entry = job.entry(job.grant.git_id).entry;
  std::vector<std::string> files;
  for (const char* name : {"HEAD", "index", "config.worktree", "info/sparse-checkout", "gitdir", "commondir"}) {
    files.push_back((entry / name).string());
  }
  return files;
}

}  // namespace

core::JobDone seal(JobContext& job, const core::job::Seal& spec) {
  const auto lock = take_slot_lock(job);
  const std::string& git_id = job.grant.git_id;
  prove_idle(job, git_id);
  job.check_stop();
  const std::string shared = (disk::path(job.pool->place.source.str()) / "config").string();
  auto made = git::Seal::make(job.slot_git(git_id, lock), {private_files(job), {shared}, spec.watch_limit},
                              [&](std::unique_ptr<git::Seal> seal) { job.seals->give_back(std::move(seal)); });
  platform::give_freed_memory_back();  // its list of all tracked files
  if (const auto* no = std::get_if<git::NoSeal>(&made)) return core::done::NotSealed{why_of(no->why), no->text};
  auto& seal = std::get<std::unique_ptr<git::Seal>>(made);
  const auto tree = git::ids_of(job.source_git(&lock), {seal->at().str() + "^{tree}"}).front();
  const core::done::Sealed sealed{seal->at(), tree.value_or(Oid{}), seal->watches()};
  job.seals->put({job.grant.pool, job.grant.slot}, std::move(seal));
  return sealed;
}

}  // namespace wtpool::jobs
