// What must hold after any fault, as an outside observer can see it: files on disk, git run by hand in the source, and what
// the daemon answers. Every function returns what is violated, a sentence each, beginning with the number of the invariant:
//   1 one lease a slot and a NAME   2 marker held <=> lease in memory   3 acknowledged leases live, others leave nothing
//   4 no commit is lost   5 no uncommitted file is lost   6 the source is as it was   7 git works in it by hand
#pragma once

#include <string>
#include <vector>

#include "tests/faults/before.hpp"
#include "tests/faults/ledger.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {

using Violations = std::vector<std::string>;

// A pool of a world, and what is known of it from elsewhere.
struct Observed {
  const World& world;
  const Repo& source;
  const Before& before;
  const Ledger& ledger;
  std::string pool = "app";
  bool quarantine_is_wrong = true;  // nothing that was done to the host so far may end in quarantine
  [[nodiscard]] fs::path root() const { return world.root() / pool; }
};

// What a marker says, by the path of its file; slots of this pool and others of the source alike.
struct MarkerOnDisk {
  fs::path file;
  std::string git_id;
  std::map<std::string, std::string> fields;
  bool whole = false;  // ends as wtpool ends it
};
[[nodiscard]] std::vector<MarkerOnDisk> markers_of(const Repo& source);

// With no daemon running: what the disk says, against `told` (of the ledger, taken after the daemon was gone).
[[nodiscard]] Violations violations_on_disk(const Observed& observed, const Ledger::Stories& told);
// With a daemon that answers, clients at work or not. `told` was taken before; it is compared with what the ledger says after.
[[nodiscard]] Violations violations_in_daemon(const Observed& observed, const Ledger::Stories& told);
// Of 4 alone, cheap: one git.
[[nodiscard]] Violations lost_commits(const Observed& observed);
[[nodiscard]] Violations lost_files(const Observed& observed);
// Of 7 alone: the commands by hand that a torn entry or a lock of a killed git breaks, making and deleting a branch included.
[[nodiscard]] Violations unusable_source(const Repo& source);

// Everything, when no client is at work: waits until no slot is in between (at most `patience`), then looks at all of it.
[[nodiscard]] Violations violations(const Observed& observed, std::chrono::milliseconds patience = std::chrono::seconds(60));
// And again after a stop and a start of the daemon, which must change nothing.
[[nodiscard]] Violations violations_over_restart(World& world, const Observed& observed);

// One text for an assertion's message; empty when there are none.
[[nodiscard]] std::string said(const Violations& violations);

}  // namespace wtpool::test
