// JSON that the command line alone writes, for its own user: a failure with --json, and what a `run` was like. Never on the
// wire.
#pragma once

#include <string>
#include <vector>

#include "proto/errors.hpp"

namespace wtpool::proto {

struct RunStats {
  std::string pool;
  std::string slot;
  std::string name;
  std::string full_sha;
  bool fresh = false;
  bool reused_commit = false;
  double waited_seconds = 0;   // in the queue
  double acquire_seconds = 0;  // from asking to having, the wait included
  double run_seconds = 0;      // of the command
  int exit_code = 0;
};

// One line without newline, valid UTF-8 whatever the strings hold.
// A failure: {"error":{"kind","message","hint","retryable","exit_code", then what the error names}}.
[[nodiscard]] std::string to_json_text(const Error& error);
[[nodiscard]] std::string to_json_text(const RunStats& stats);

struct HookRow {  // one element of `hooks ls --json`
  std::string event;
  std::string from;
  std::string command;
  bool may_run = false;
};
[[nodiscard]] std::string to_json_text(const std::vector<HookRow>& rows);

}  // namespace wtpool::proto
