// Which leases are finished: one pure table from what is known of a lease to its class, and what a sweep does with each.
#pragma once

#include "daemon/core/state/job_specs.hpp"

namespace wtpool::core {

using proto::SweepClass;

// What the class goes by. `old`: held for `--min-age` or longer.
struct Finished {
  bool broken = false;
  bool busy = false;
  bool dirty = false;
  bool moved = false;   // its branch or HEAD stands elsewhere than at acquire
  bool merged = false;  // of neither is anything lacking in the target
  bool old = false;
};

[[nodiscard]] SweepClass class_of(const Finished& lease);
[[nodiscard]] constexpr bool is_swept(SweepClass value) { return value == SweepClass::merged || value == SweepClass::empty; }

// The same of what a job saw, with why it is so: one clause for a person.
struct Judgement {
  SweepClass sweep_class = SweepClass::broken;
  std::string reason;
};
[[nodiscard]] Judgement judge(const SweepFacts& facts, std::size_t sessions, seconds held, seconds min_age);

}  // namespace wtpool::core
