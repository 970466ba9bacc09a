// A host of one pool whose daemon runs below wtpool_kill_at, so that it, its gits or all of them can be killed at a call that
// is known by its number; and what is known of it for the checker.
#pragma once

#include "tests/faults/invariants.hpp"

namespace wtpool::test {

struct Kill {
  std::string who;  // daemon, git, all
  long at = 0;
};

class SweptHost {
 public:
  // `by_hand`: what the owner of the source does before it is served.
  explicit SweptHost(const std::function<void(const Repo&)>& by_hand);
  ~SweptHost();
  SweptHost(const SweptHost&) = delete;
  SweptHost& operator=(const SweptHost&) = delete;

  World world;
  Repo repo;
  Before before;
  Ledger ledger;
  int number = 0;  // of the point: what it writes and asks for bears it
  [[nodiscard]] Observed observed() const { return {world, repo, before, ledger}; }
  [[nodiscard]] fs::path slot() const { return world.root() / "app/slot-0"; }

  // Told to the ledger as they go. Exit codes are the caller's to judge.
  Outcome acquire(const std::string& name, const std::vector<std::string>& flags = {});
  Outcome release(const std::string& name, const std::vector<std::string>& flags = {});
  void write(const std::string& name, const std::string& file);   // uncommitted, with a content of its own
  void commit(const std::string& name, const std::string& file);  // in the slot
  // The same, of a host that nobody harms: throws when it does not succeed.
  void must_acquire(const std::string& name, const std::vector<std::string>& flags = {});
  void must_release(const std::string& name, const std::vector<std::string>& flags = {});

  void arm(const Kill& kill);  // counting begins now
  void disarm();               // nobody is killed any more when this returns
  // What was killed, in words; nothing when all came to rest before it. A daemon that was killed is gone when this returns.
  [[nodiscard]] std::optional<std::string> wait_for_kill(const Kill& kill);
  // Returns when it answers, or was killed again.
  void start_daemon();
  [[nodiscard]] std::string signature() const;  // of what stands on the disk, as far as a recovery may care
  // Of killed programs, once all is at rest.
  [[nodiscard]] std::string log() const;  // its last lines
  [[nodiscard]] Violations unfinished_files() const;
  [[nodiscard]] Violations locks() const;
  // What a killed git locked is free again for the next who needs it: asks for another lease, and gives it back.
  [[nodiscard]] Violations use_another_slot();

 private:
  [[nodiscard]] std::optional<std::string> report() const;
  void end_order();
  int serial_ = 0;
  std::optional<Process> daemon_;
  std::vector<Process> orphans_;  // killers whose program is dead and whose gits are not
};

}  // namespace wtpool::test
