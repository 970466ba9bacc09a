// The values that the core, the disk and the jobs talk about. Pure: no descriptor, clock or process.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/core/state/hook_line.hpp"
#include "proto/errors.hpp"
#include "proto/ids.hpp"
#include "proto/messages.hpp"

namespace wtpool::disk {
class MarkerFile;
}

namespace wtpool::core {

using proto::Dirty;
using proto::Error;
using proto::ErrorKind;
using proto::LeaseKind;
using proto::SlotState;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// One frozen "now" for one turn of the loop. `awake` does not count suspend and never goes back; `wall` is UTC seconds, for
// people only: no decision depends on it but the text of times.
struct Now {
  nanoseconds awake{0};
  std::int64_t wall = 0;
};

[[nodiscard]] nanoseconds after(nanoseconds start, seconds span);  // saturates

// Proof that a marker was made durable. Only the disk room makes one; the reply that grants a lease carries it.
class Durable {
 public:
  [[nodiscard]] static Durable for_tests() { return Durable{}; }

 private:
  friend class ::wtpool::disk::MarkerFile;
  Durable() = default;
};

// A process for good: see common/platform/process.hpp.
struct Owner {
  std::int64_t pid = 0;
  std::uint64_t start = 0;
  std::string boot_id;
  friend bool operator==(const Owner&, const Owner&) = default;
};

// One holding of one slot. Everything of it stands in the marker.
struct Lease {
  LeaseId id;
  std::string name;
  LeaseKind kind = LeaseKind::durable;
  std::int64_t started_at = 0;     // UTC seconds
  Oid full_sha;                    // the commit resolved at acquire
  std::optional<Oid> branch_base;  // absent: an existing branch was resumed
  std::optional<std::string> group;
  std::optional<std::string> key;
  std::optional<seconds> ttl;
  std::optional<Owner> owner;
  bool adopted = false;      // its marker has only the keys of worktree-pool
  bool keep_branch = false;  // while it ends: the branch stays at its tip
  friend bool operator==(const Lease&, const Lease&) = default;
};

// A branch that was there before the lease is somebody's, and outlives it.
[[nodiscard]] inline bool keeps_branch(const Lease& lease) {
  return lease.keep_branch || (!lease.branch_base && !lease.adopted);
}

enum class MarkerState { acquiring, held, releasing };

struct Marker {
  Lease lease;
  MarkerState state = MarkerState::held;
  std::optional<Dirty> on_dirty;        // while releasing: what was asked for
  std::optional<std::string> trash_id;  // while releasing: under which id this release keeps what it saves
  bool fresh = false;                   // while acquiring: this acquire has made the slot, and nobody has seen it
  friend bool operator==(const Marker&, const Marker&) = default;
};

// How often the source is asked for news before a commit is resolved.
struct FetchPolicy {
  enum class When { never, on_miss, always, older_than } when = When::on_miss;
  seconds age{0};
};

enum class Clean { none, untracked, ignored };

// What acquire places from the store, see `deps:` in the pool config.
struct Dep {
  std::string name;
  std::string key;      // with {hash:...}, {os} and {arch}; in a WantedDep the KEY itself
  std::string archive;  // where to find it when the store has not; may be empty
  std::string into;     // relative to the slot
  std::string mode = "link";
  std::vector<std::string> real;
  bool required = false;
  friend bool operator==(const Dep&, const Dep&) = default;
};
struct WantedDep {
  Dep dep;
  bool present = false;  // in the store
};
// How a new slot gets its files: see the probe of what the pool's disk can do.
enum class Create { automatic, snapshot, reflink, checkout };

// The pool config, checked. Paths are absolute.
struct PoolConfig {
  std::string source;  // as written, made absolute
  std::string default_commit;
  int max_slots = 16;
  std::vector<std::string> groups;  // empty = one unnamed group
  std::optional<std::string> submodule_mirror_mode;
  std::optional<std::string> submodule_mirror_base;
  FetchPolicy fetch;
  seconds fetch_timeout{600};
  std::optional<seconds> fetch_interval;  // all branches, leases or none
  Clean clean = Clean::none;
  Dirty on_dirty = Dirty::save;
  std::optional<seconds> ttl;
  std::vector<std::string> filters{"lfs"};  // drivers that may run, where a configuration names them
  Create create = Create::automatic;
  std::optional<std::vector<std::string>> carry;  // patterns, of what git ignores; absent: all that is not excepted
  std::vector<std::string> carry_not;
  std::map<std::string, std::vector<std::string>> guards;  // carried path to tracked files, besides those built in
  std::uint64_t save_limit_bytes = 256ull * 1024 * 1024;
  std::uint64_t save_limit_files = 20000;
  std::vector<Dep> deps;
  std::optional<std::string> session;  // what `go` runs when no command is named
  std::string land_into;               // empty: the branch that default_commit names
  proto::LandStyle land_style = proto::LandStyle::merge;
  std::optional<std::string> land_test;    // a command; clients run it
  int land_train = 4;                      // landings that are tested at once
  std::vector<std::string> merge_drivers;  // that may run
  std::vector<HookLine> hooks;             // the user's own: they need no approval
};

// Where a pool lives, read once when it is loaded. All real paths.
struct PoolPlace {
  std::string root;                     // <root>/<key>, symlinks resolved
  SourceId source;                      // the source's common git directory
  std::optional<std::string> worktree;  // the source's own working tree; absent for a bare one
  std::uint64_t device = 0;             // st_dev of root
  std::optional<std::string> url = {};  // of a mirror that wtpool keeps
};

// What the disk says about one slot, read by a job. The reconcile table judges it.
struct SlotFacts {
  enum class Entry { absent, sound, torn, foreign };  // <source>/worktrees/<git_id>
  enum class Directory { absent, sound, no_gitfile, not_a_directory, foreign };
  enum class MarkerRead { absent, sound, unreadable };

  SlotId slot;
  std::string git_id;  // empty when there is no entry
  Entry entry = Entry::absent;
  Directory directory = Directory::absent;
  MarkerRead marker_read = MarkerRead::absent;
  std::optional<Marker> marker;
  std::string problem;                    // why something above is not sound, for a person
  std::optional<Oid> head;                // HEAD resolved as far as plain files tell
  std::optional<std::string> branch;      // short name, when HEAD is attached
  std::optional<std::string> quarantine;  // reason in the quarantine record
  bool intent = false;                    // <slot>.intent stands
  bool busy = false;                      // its lock is held by another process (an orphaned git, or a foreign tool)
};

// What one job may touch. A job without a slot names none.
struct Grant {
  JobId job;
  PoolKey pool;
  SlotId slot;
  SourceId source;
  std::string git_id;          // empty for a slot that has no entry
  bool source_writer = false;  // the one writer of `worktree add|remove|prune|repair` in this source
};

// What became of a job that wanted a slot.
enum class Fault {
  none,
  slot_busy,     // somebody else holds the slot's lock: passed over, nothing was touched
  slot_fault,    // its entry, directory, index, permissions: set aside, quarantined at the third time
  quarantine,    // must not be touched again until a person looked: work that could not be saved, no proof of place
  source_fault,  // source, commit, branch, network: ends the request with its own error
  host_fault,    // disk full, read-only, descriptors: ends the request with its own error
  cancelled,
};

}  // namespace wtpool::core
