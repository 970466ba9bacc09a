// The command line of wtpoold.
#pragma once

#include <optional>
#include <string>

namespace wtpool::app {

struct Options {
  std::optional<std::string> check;  // config | doctor | unstick | validate-gitmodules: run once, without a daemon
  bool json = false;
  bool repair = false;
  std::optional<std::string> slot;
  std::optional<std::string> pool;
  std::optional<std::string> socket;
  bool verbose = false;
};

// Exits the process's way out through its second value: set when there is nothing to run (--help, wrong usage).
struct Parsed {
  Options options;
  std::optional<int> exit_code;
};
[[nodiscard]] Parsed parse_options(int argc, const char* const* argv);

}  // namespace wtpool::app
