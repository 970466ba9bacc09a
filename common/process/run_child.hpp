// Children: started with posix_spawn in a process group of their own, stdin /dev/null unless data is given, all descriptors
// closed but the named ones. Ended by SIGTERM to the group, patience, then SIGKILL. Any thread; each call blocks its thread.
#pragma once

#include <sys/types.h>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/files/fd.hpp"

namespace wtpool {

// Says "stop" to whatever blocks on its descriptor; level-triggered, for good. Copies share one state. Any thread.
class StopToken {
 public:
  StopToken();
  void request_stop() const;
  [[nodiscard]] bool stop_requested() const;
  [[nodiscard]] int descriptor() const;  // readable once stop was requested

 private:
  struct State;
  std::shared_ptr<State> state_;
};

struct SpawnOptions {
  std::vector<std::string> argv;         // argv[0] is looked up in PATH of `environment`
  std::vector<std::string> environment;  // KEY=VALUE, the whole of it
  std::filesystem::path directory;       // empty = inherited
  std::string input;                     // written to stdin, then closed; empty = /dev/null
  std::vector<int> inherited;            // descriptors the child keeps (same numbers)
  std::chrono::steady_clock::duration deadline = std::chrono::minutes(10);
  std::chrono::steady_clock::duration patience = std::chrono::seconds(10);  // between SIGTERM and SIGKILL
  std::optional<StopToken> stop;
  std::size_t output_limit = 64 * 1024 * 1024;          // of stdout; past it the child is ended
  std::size_t error_tail = 4096;                        // how much of stderr's end is kept
  std::function<void(pid_t)> on_start;                  // after the spawn, before any wait
  std::function<void()> on_kill;                        // before SIGKILL, after which the child tidies nothing up
  std::function<void(std::string_view)> on_error_text;  // stderr as it comes (progress), on this thread
};

enum class ChildEnd { exited, signalled, timed_out, stopped, too_much_output };

struct ChildResult {
  ChildEnd end = ChildEnd::exited;
  int exit_code = 0;  // exit status, or 128+n after signal n
  int signal = 0;     // the signal that ended it, 0 when it exited
  std::string output;
  std::string error_tail;
  [[nodiscard]] bool ok() const { return end == ChildEnd::exited && exit_code == 0; }
};

// Runs to the end. Throws proto::Error when the program cannot be started (not found, EAGAIN, EMFILE).
[[nodiscard]] ChildResult run_child(const SpawnOptions& options);

// Returns when every child that was being started has reached its program, and has no descriptor any more that is not its to
// keep: a lock that was given back may be held by such a one until then.
void wait_for_births();

// A long-lived child spoken to over stdin and stdout, line by line. Not thread-safe: one user at a time.
class LineChild {
 public:
  static std::unique_ptr<LineChild> start(const SpawnOptions& options);  // input, deadline, limits unused
  ~LineChild();                                                          // closes stdin, waits briefly, then kills
  bool write(std::string_view text);                                     // false: it is gone
  // Next line without newline; nothing at end, at the deadline, or when stopped.
  std::optional<std::string> read_line(std::chrono::steady_clock::duration deadline);
  [[nodiscard]] std::string error_tail() const;  // the end of what it wrote to stderr so far
  [[nodiscard]] pid_t pid() const;

 private:
  LineChild();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wtpool
