// What works without a daemon: `wtpoold --check ...`, run once in place of this program.
#pragma once

#include <string>
#include <vector>

#include "client/cli/options.hpp"

namespace wtpool::client {

// Replaces the process: stdio, environment and directory are inherited, the exit code is wtpoold's. Throws when it cannot.
[[noreturn]] void become_check(const std::string& check, const Globals& globals, std::vector<std::string> further = {});

}  // namespace wtpool::client
