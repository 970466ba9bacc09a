// What went wrong in a job becomes a Fault for the core: whose it is.
#pragma once

#include <string>

#include "daemon/core/state/events.hpp"

namespace wtpool::jobs {

// Thrown by a step that knows better than the table below whose fault it is.
struct FaultError {
  core::Fault fault;
  core::Error error;
  bool halfway = false;  // see core::JobFailed
};
[[noreturn]] void fail(core::Fault fault, core::ErrorKind kind, std::string message, std::string hint = {});

// Whose fault an error is when nobody said so: the slot's, the source's, the host's, or nobody's.
[[nodiscard]] core::Fault fault_of(const core::Error& error);

// The same where work is in a slot and nobody can be asked to come again: what passes by itself is waited for (no space, a disk
// that is read-only, no descriptors, processes or memory), a git that was killed is run again; whatever else keeps work from
// being saved is looked at by a person.
[[nodiscard]] core::Fault fault_in_upkeep(const core::Error& error);

// The error is of a git that a signal ended, itself or one that it had started.
[[nodiscard]] bool was_killed(const core::Error& error);

}  // namespace wtpool::jobs
