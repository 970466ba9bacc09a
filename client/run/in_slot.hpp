// What a command is given that runs in a slot under a lease.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "client/run/child.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

// The caller's environment, without what an outer `run` said of its own lease, and git of its repository; with the WTPOOL_*
// variables of this lease.
[[nodiscard]] std::vector<std::string> environment_in_slot(const proto::AcquireResult& lease,
                                                           const std::filesystem::path& socket);

// Says why the command did not start; the exit code that says so.
[[nodiscard]] int say_cannot_run(const CannotRun& cannot, const CommandLine& line, Context& context);

}  // namespace wtpool::client
