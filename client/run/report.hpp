// What a `run` was like: how long it waited, acquired and ran, and what it found. Said only when asked for. The main thread.
#pragma once

#include <chrono>

#include "client/cli/options.hpp"
#include "client/verbs/verbs.hpp"
#include "proto/codec/client_json.hpp"

namespace wtpool::client {

class RunReport {
 public:
  RunReport(const RunCommand& command, Context& context);
  void acquired(const proto::AcquireResult& lease);
  // The command has ended with `exit_code`: says so on stderr (--stats), writes --stats-file, and adds a row to the summary of
  // a GitHub job. A file that cannot be written is a warning, since the command's exit code is what counts.
  void ended(int exit_code);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  const RunCommand& command_;
  Context& context_;
  Moment asked_at_;
  Moment runs_from_;
  proto::RunStats stats_;
};

// One line, without newline.
[[nodiscard]] std::string render_run(const proto::RunStats& stats);
// A table of GitHub's Markdown.
[[nodiscard]] std::string render_run_summary(const proto::RunStats& stats);

}  // namespace wtpool::client
