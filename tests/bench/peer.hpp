// The reference tool, as the sequence of git commands it runs (peer.sh), and bare git. The script's own cost, which a compiled
// tool does not have, is measured beside it with a git that does nothing, and taken off.
#pragma once

#include "tests/bench/ground.hpp"

namespace wtpool::bench {

class Peer {
 public:
  // Its slots are made from outside, at slot(0), slot(1), ...
  explicit Peer(const Ground& ground);
  [[nodiscard]] fs::path slot(int number) const;

  struct Cost {
    double whole = 0;   // of the script, milliseconds
    double script = 0;  // the part of it that is the shell's, as far as one run can tell: medians of it are what counts
  };
  struct Use {
    Cost acquire;
    Cost release;
  };
  // One slot is acquired and released, for real and with nothing.
  [[nodiscard]] Use use(const std::string& name, const std::string& commit);
  // The slots 0 to n-1 by n processes at once; then all of them are given back, not timed.
  [[nodiscard]] AtOnce acquire_at_once(int n, const std::string& prefix, const std::string& commit);

 private:
  [[nodiscard]] Argv script(const std::string& verb, int number, const std::string& name, const std::string& commit = {}) const;

  const Ground& ground_;
  fs::path pool_;
  Environment without_git_;
  std::string nothing_;
};

// Bare git in one worktree of its own, which it makes: `switch -c`, and `switch --detach` with `branch -D`.
class BareGit {
 public:
  explicit BareGit(const Ground& ground);
  [[nodiscard]] double acquire(const std::string& name, const std::string& commit) const;
  [[nodiscard]] double release(const std::string& name) const;

 private:
  const Ground& ground_;
  std::string slot_;
};

}  // namespace wtpool::bench
