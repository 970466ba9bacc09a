// The lines of the log that say who asked for what, what came of it, and what happened to a slot by itself. One line a
// decision, as `key=value` words in a fixed order, so that both a person and a program can read it. On the loop; never throws.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "proto/messages.hpp"

namespace wtpool::serve {

// Who asks, and for what: kept beside a request until it is answered.
struct Asked {
  std::string method;
  std::string what;  // pool, slot, name and lease as they were asked for
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  bool changes = false;  // reports are not worth a line, but for those that fail
};
[[nodiscard]] Asked asked_for(const proto::Params& params);

struct Asker {
  std::optional<std::int64_t> pid;
  std::string client;  // as it called itself
};
void audit(const Asked& asked, const Asker& asker, const proto::Result& result);
void audit(const Asked& asked, const Asker& asker, const proto::Error& error);
void audit(const proto::EventNote& event);

// KEY=VALUE with a space before it; a value with spaces or quotes is quoted. Nothing for an empty value.
[[nodiscard]] std::string word(std::string_view key, std::string_view value);

}  // namespace wtpool::serve
