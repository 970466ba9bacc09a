// Starting a child: the part that run_child and LineChild share. Internal to this room.
#pragma once

#include <sys/types.h>

#include <csignal>

#include "common/files/fd.hpp"
#include "common/process/run_child.hpp"

namespace wtpool {

enum class StdinOf { null_device, pipe };

// A started child and our ends of its pipes, all non-blocking. Destroyed before it was reaped, its group is killed and it is
// waited for, so that no exception leaves a child behind.
class SpawnedChild {
 public:
  SpawnedChild(const SpawnOptions& options, StdinOf input);
  SpawnedChild(const SpawnedChild&) = delete;
  SpawnedChild& operator=(const SpawnedChild&) = delete;
  ~SpawnedChild();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal_group(int number) const;
  // True once the child has ended. It stays a zombie until `reap`, so that its pid and group cannot be another's.
  [[nodiscard]] bool ended() const;
  // Blocks until it has ended; the status of waitpid(2).
  int reap();

  Fd input, output, errors, exit_watch;

 private:
  pid_t pid_ = -1;
};

// Reads what is there into `sink`, at most `limit` bytes; closes `fd` at its end.
enum class ReadState { open, closed };
ReadState read_available(Fd& fd, std::size_t limit, const std::function<void(std::string_view)>& sink);

// How long poll(2) may block until `moment`, in its milliseconds, rounded up.
[[nodiscard]] int poll_timeout(std::chrono::steady_clock::time_point moment);
// now + duration, without overflow.
[[nodiscard]] std::chrono::steady_clock::time_point moment_after(std::chrono::steady_clock::duration duration);

// For its lifetime a write to a pipe without a reader is EPIPE for this thread, and no signal.
class NoSigpipe {
 public:
  NoSigpipe();
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe();

 private:
  sigset_t previous_{};
  bool was_pending_ = false;
};

}  // namespace wtpool
