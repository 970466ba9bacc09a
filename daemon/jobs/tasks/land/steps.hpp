// What the jobs of a landing share.
#pragma once

#include "daemon/disk/land_record.hpp"
#include "daemon/git/tree/following.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

[[nodiscard]] std::string land_pin(const std::string& id);  // refs/wtpool/land/<id>
[[nodiscard]] std::string branch_ref(const std::string& name);

// Where a target stands: its own branch T, its upstream U, and the one of the two that work lands on.
struct TargetStand {
  std::optional<Oid> local;
  std::optional<Oid> upstream;
  std::string upstream_name;  // full
  Oid base;                   // U where T is behind it, else T
};
// Throws blocked where there is no such branch, or the two went apart. A mirror has no branch of its own: U alone counts.
[[nodiscard]] TargetStand stand_of(const JobContext& job, const std::string& target);
// The same for who is going to push: the remote is asked for the branch first. Throws as a fetch does.
[[nodiscard]] TargetStand fetched_stand_of(JobContext& job, const std::string& target);
// The branch that is meant: `into`, else the pool's land_into, else that of its default_commit. Throws blocked.
[[nodiscard]] std::string target_of(const JobContext& job, const std::optional<std::string>& into);

// Is the slot, at `tip`, clean, and with no file that is new since acquire? Empty: yes; else what it is not, for a person.
[[nodiscard]] std::string why_dirty(const JobContext& job, const git::Git& slot, const SlotId& id, const std::string& git_id);

// All of `updates` and `removals` in one transaction, with a reflog entry. False: git would not, and nothing has moved.
struct RefMove {
  std::string ref;
  std::optional<Oid> to;  // absent: it goes
  Oid from;
};
[[nodiscard]] bool move_refs(const git::Git& source, const std::vector<RefMove>& moves, const std::string& reflog,
                             std::string& why);

[[nodiscard]] git::Git checkout_git(const JobContext& job, const disk::LandRecord::Checkout& checkout,
                                    const std::vector<int>& inherited);

// Everything that a landing which was cut off has left to do, and its record last. Never throws for one that cannot be finished
// now: it stays for the next time. Returns the slots whose landing somebody else has in hand.
std::vector<std::string> finish_landings(const JobContext& job);

}  // namespace wtpool::jobs
