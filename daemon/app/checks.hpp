// What `doctor`, `unstick` and `validate-gitmodules` look at. Read-only, blocking, with or without a daemon.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/paths.hpp"
#include "daemon/app/options.hpp"
#include "proto/messages.hpp"

namespace wtpool::app {

struct CheckFacts {
  HostPaths paths;
  std::filesystem::path root;
  std::filesystem::path socket;
  bool from_daemon = false;
};

[[nodiscard]] proto::DoctorResult run_doctor(const CheckFacts& facts);
// Prints to stdout; the exit code. `cwd` decides what is looked at where nothing else does.
int print_doctor(const CheckFacts& facts, bool json);
int print_locks(const CheckFacts& facts, const Options& options);
int validate_gitmodules(const std::filesystem::path& cwd, bool json);

}  // namespace wtpool::app
