// The end of a lease in the refs.
#pragma once

#include <functional>

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// The refs' half of the end of a lease (see docs/on-disk-format.md): HEAD detached at its commit, what moved kept under
// `trash_id`, the branch deleted. Needs no directory and no sound place: it runs in the source. Safe to repeat, as `again`:
// NAME may be another lease's since the first time, or a branch of somebody's, which is then left alone; and what was kept is
// never overwritten, but more of it kept under another id. `first` runs once, and ends before anything is changed.
struct SettledRefs {
  bool kept = false;
  std::string trash_id;  // under which it is kept, if it is
  std::vector<std::string> warnings;
};
enum class Settling { first, again };

[[nodiscard]] SettledRefs settle_refs(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                      const std::string& trash_id, const disk::SlotLock& lock, Settling which,
                                      std::function<void()> first = {});

[[nodiscard]] SettledRefs settle_refs(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                      const std::string& trash_id, const disk::SlotLock& lock,
                                      std::function<void()> first = {});

// Returns true if another lease, in any pool of this source, took NAME since. NAME is free once a release is answered or a
// daemon died in an acquire, while this marker still names it; the next lease writes its marker before its branch. A marker
// that cannot be read may be of such a lease.
[[nodiscard]] bool is_given_away(const JobContext& job, const std::string& git_id, const core::Lease& lease);

}  // namespace wtpool::jobs
