#include "daemon/jobs/slot/blame.hpp"

#include "daemon/git/process/filters.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::jobs {
namespace {

bool says(const core::Error& error, const char* text) {
  return error.git && error.git->stderr_tail.find(text) != std::string::npos;
}

// What the host or the source configured and does not have, git-lfs for one. The slot may be as good as any.
bool filter_failed(const core::Error& error) { return error.git && git::says_filter_failed(error.git->stderr_tail); }

// Descriptors, processes or memory, here or in git. They are there again when others have ended.
bool lacks_means(const core::Error& error) {
  for (const char* text :
       {"Too many open files", "Resource temporarily unavailable", "Cannot allocate memory", "Out of memory"})
    if (error.message.find(text) != std::string::npos || says(error, text)) return true;
  return false;
}

}  // namespace

void fail(core::Fault fault, core::ErrorKind kind, std::string message, std::string hint) {
  throw FaultError{fault, core::Error(kind, std::move(message), std::move(hint))};
}

core::Fault fault_of(const core::Error& error) {
  using core::ErrorKind;
  switch (error.kind) {
    case ErrorKind::cancelled:
      return core::Fault::cancelled;
    case ErrorKind::no_space:
    case ErrorKind::read_only:
    case ErrorKind::io_error:
      return core::Fault::host_fault;
    case ErrorKind::permission_denied:
      return core::Fault::slot_fault;
    case ErrorKind::git_failed:
      if (says(error, "No space left on device") || says(error, "Read-only file system") || lacks_means(error)) {
        return core::Fault::host_fault;
      }
      if (says(error, "bad object") || says(error, "unable to read") || says(error, "not a valid object") ||
          filter_failed(error) || says(error, "cannot lock ref") || says(error, "packed-refs.lock") || was_killed(error)) {
        return core::Fault::source_fault;
      }
      return core::Fault::slot_fault;
    default:
      return core::Fault::source_fault;
  }
}

core::Fault fault_in_upkeep(const core::Error& error) {
  using core::ErrorKind;
  if (error.kind == ErrorKind::cancelled) return core::Fault::cancelled;
  const bool passes = error.kind == ErrorKind::no_space || error.kind == ErrorKind::read_only ||
                      says(error, "No space left on device") || says(error, "Read-only file system") || lacks_means(error) ||
                      says(error, ".lock': File exists") || says(error, "could not lock config file") ||
                      says(error, "packed-refs.new: File exists") || says(error, "bad config ") ||
                      says(error, "unable to access '") || says(error, "unable to read config file");
  // What git has no memory for may never fit: it is tried again, and counted.
  const bool too_large = says(error, "Out of memory") || says(error, "Cannot allocate memory");
  if (passes && !too_large) return core::Fault::host_fault;
  return too_large || was_killed(error) || filter_failed(error) ? core::Fault::slot_fault : core::Fault::quarantine;
}

bool was_killed(const core::Error& error) { return error.git && git::says_killed(error.git->exit_code); }

}  // namespace wtpool::jobs
