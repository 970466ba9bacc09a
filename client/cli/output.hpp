// What the user sees: stdout for the result alone, stderr for everything else. Text of others (the daemon, git, names) is made
// printable here, once. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "client/cli/options.hpp"
#include "proto/errors.hpp"
#include "proto/messages.hpp"

namespace wtpool::client {

struct Streams {
  int out = 1;
  int err = 2;
  std::optional<proto::Error>* error = nullptr;  // gets what went wrong as well, for who does not read lines
};

class Output {
 public:
  // With `json_errors` a failure is one line of JSON on stderr instead of words.
  Output(Streams streams, Loudness loudness, bool json_errors = false);

  // False when not all of it was taken (a closed pipe, a full disk): the caller does not have its result then.
  [[nodiscard]] bool result(std::string_view text);
  void say(std::string_view line);  // wtpool: <line>
  void warn(std::string_view line);
  void error(const proto::Error& error);
  void lines(std::string_view text);  // as it is, already printable

  [[nodiscard]] const Streams& streams() const { return streams_; }

  // Notifications of the request under way: warnings at once, git's lines with -v, and on a terminal, once a wait has taken
  // half a second, one line that says what it waits for.
  void begin_wait();
  void note(const proto::Notification& notification);
  [[nodiscard]] bool wants_progress() const;
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> due() const;  // when show_progress has work
  void show_progress();
  void end_wait();

 private:
  void write_err(std::string_view text);

  Streams streams_;
  Loudness loudness_;
  bool json_errors_;
  bool terminal_;
  std::chrono::steady_clock::time_point show_from_{};
  std::optional<std::string> pending_;  // a progress line not shown yet
  bool line_shown_ = false;
};

inline constexpr std::chrono::milliseconds kPatience{500};  // before a wait is explained

}  // namespace wtpool::client
