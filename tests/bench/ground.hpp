// One daemon with one source, on ground where the rivals stand, too: their worktrees are of the same source and lie beside its
// slots. All of it is made once; slots are recycled, never deleted and made again (a file system slows down at that).
#pragma once

#include <set>

#include "tests/bench/timing.hpp"
#include "tests/support/world.hpp"

namespace wtpool::bench {

namespace fs = std::filesystem;

class Ground {
 public:
  // `fixture`: the repository to serve a copy of, which shares its objects. `where`: a directory of its own for what is made.
  Ground(const fs::path& fixture, const fs::path& where);

  [[nodiscard]] const fs::path& source() const { return source_; }
  [[nodiscard]] const fs::path& where() const { return where_; }
  [[nodiscard]] const Environment& environment() const { return world_.environment; }
  [[nodiscard]] std::string commit(int back) const;  // the id of that many commits before the tip
  [[nodiscard]] pid_t daemon() { return world_.daemon().pid(); }

  void make_pool(const std::string& key, int slots) const;
  [[nodiscard]] static Argv ours(const std::string& pool, Argv verb);  // the command line
  double run(const std::string& pool, Argv verb) const { return timed(ours(pool, std::move(verb)), environment()); }
  [[nodiscard]] test::json report(const std::string& pool, Argv verb) const;
  void wait_for_queue(int waiting) const;

  // Until nothing is going on in the pool: every slot that was made is idle, and sealed where this daemon seals. False when one
  // had no seal after more than the time in which a daemon tries again; where that happens over and over, seals are not waited
  // for any more.
  bool settle(const std::string& pool);
  [[nodiscard]] bool seals() const { return unsealed_ < kMostUnsealed; }
  [[nodiscard]] std::set<std::string> sealed(const std::string& pool) const;  // slots that have a seal
  [[nodiscard]] std::set<std::string> held(const std::string& pool) const;
  // Rises with every process that the daemon has started and that ended: it counts their page faults.
  [[nodiscard]] long gits_ended();
  // Takes the seal off an idle slot by an event in its directory that changes nothing; false where it came back at once.
  [[nodiscard]] bool unseal(const std::string& pool, const fs::path& slot) const;

  // The daemon again, and from now on with every step's time in its log.
  void restart_with_log();
  [[nodiscard]] std::string log_so_far() const { return test::read_text(world_.state() / "wtpoold.log"); }

  // A worktree of the source for a rival, at `where`/<name>; how long git took, in milliseconds.
  double add_worktree(const fs::path& at) const;

 private:
  void configure(const std::string& more = {}) const;

  test::World world_;
  fs::path where_;
  fs::path source_;
  static constexpr int kMostUnsealed = 3;
  int unsealed_ = 0;  // how many times a seal was waited for in vain
};

}  // namespace wtpool::bench
