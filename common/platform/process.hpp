// Processes as values: a pid alone may be reused, a pid with its start time within one boot names one process for good.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/files/fd.hpp"

namespace wtpool::platform {

struct ProcessStamp {
  std::int64_t pid = 0;
  std::uint64_t start = 0;  // clock ticks since boot (Linux), microseconds since the epoch (macOS)
  std::string boot_id;
  friend bool operator==(const ProcessStamp&, const ProcessStamp&) = default;
};

[[nodiscard]] std::string boot_id();
[[nodiscard]] std::optional<ProcessStamp> stamp_of(
    std::int64_t pid);                                // nothing: no such process (zombies count as gone), or not told
[[nodiscard]] bool alive(const ProcessStamp& stamp);  // that very process, in this boot
// That very process is there no more, for certain; false also where it cannot be told, for want of descriptors say.
[[nodiscard]] bool has_ended(const ProcessStamp& stamp);
// A descriptor that becomes readable when that process ends (pidfd, kqueue); invalid when it is already gone, and where no such
// descriptor can be had: has_ended tells the two apart.
[[nodiscard]] Fd watch_exit(const ProcessStamp& stamp);

struct ProcessUse {
  std::int64_t pid = 0;
  std::string command;
};
// Processes of this user whose environment holds `entry` ("KEY=VALUE"), or whose working directory is `directory` or below
// it. An empty entry or directory is not looked for. The daemon itself is never listed. Empty where the system cannot tell.
[[nodiscard]] std::vector<ProcessUse> processes_with_environment(const std::string& entry);
// Both at once, each process named once.
[[nodiscard]] std::vector<ProcessUse> processes_with_environment_or_inside(const std::string& entry,
                                                                           const std::filesystem::path& directory);
[[nodiscard]] std::vector<ProcessUse> processes_inside(const std::filesystem::path& directory);
struct ProcessAtWork {
  std::int64_t pid = 0;
  std::int64_t started = 0;            // seconds, UTC; true to a second or two
  std::vector<std::string> arguments;  // the program's name first
};
// Living processes whose program is called `program`, and whose working directory is one of `directories` or below it, or
// whose arguments or environment name `thing`. Those that this user may not look into are left out. Nothing when it cannot be
// told, for want of descriptors say.
[[nodiscard]] std::optional<std::vector<ProcessAtWork>> processes_at_work(const std::string& program,
                                                                          const std::vector<std::filesystem::path>& directories,
                                                                          const std::string& thing);
[[nodiscard]] std::vector<std::int64_t> processes_of_group(std::int64_t group);  // living ones, of any user
[[nodiscard]] std::vector<std::int64_t> ancestors_of(std::int64_t pid);          // itself first
// The name the system has for the program of process `pid`, cut to 15 characters on Linux; empty when there is none.
[[nodiscard]] std::string program_of(std::int64_t pid);

// As it was started, or its name; empty where it cannot be told.
[[nodiscard]] std::string command_of(std::int64_t pid);

// Path of the running program.
[[nodiscard]] std::filesystem::path own_executable();

}  // namespace wtpool::platform
