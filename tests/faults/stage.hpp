// A host with one pool, a source, and a ledger: where a scenario plays. What is asked of the daemon is asked as a client does
// who does not give up: with a key, and again when no answer came.
#pragma once

#include "tests/faults/invariants.hpp"

namespace wtpool::test {

class Stage {
 public:
  Stage();

  World world;
  Repo repo;
  Before before;
  Ledger ledger;
  // Also what somebody else did to the source meanwhile is as it should be from now on.
  void settle() { before = Before::of(repo); }
  [[nodiscard]] Observed observed() const { return {world, repo, before, ledger}; }

  // Starts the daemon with this WTPOOL_FAILPOINT, after a stop of the one that serves.
  void restart(const std::string& failpoint = {});
  void start(const std::string& failpoint = {});
  // Ends the daemon however it fares; true when a signal had ended it already.
  bool daemon_died(std::chrono::milliseconds patience = std::chrono::seconds(10));

  // Each says in the ledger what is asked and what is known afterwards. Exit code of the client.
  int acquire(const std::string& name, std::vector<std::string> more = {});
  int release(const std::string& name, std::vector<std::string> more = {});  // --wait
  int ask(const std::vector<std::string>& arguments) const { return world.wtpool(arguments).code; }

  // Work of the holder of `name`, in the ledger.
  void commit(const std::string& name, const std::string& file);
  void write(const std::string& name, const std::string& file);
  void stage(const std::string& name, const std::string& file);  // written and added
  [[nodiscard]] fs::path slot(const std::string& name) const { return ledger.stories().at(name).path; }

 private:
  int contents_ = 0;
  std::string next_content(const std::string& name);
};

}  // namespace wtpool::test
