// What `doctor`, `unstick` and `validate-gitmodules` look at. Blocking, with or without a daemon; read-only but for the repair
// that `doctor` may be asked for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/host_paths.hpp"
#include "daemon/app/options.hpp"
#include "daemon/jobs/doctor/findings.hpp"
#include "proto/messages.hpp"

namespace wtpool::app {

// A slot that is held by the daemon's memory, and the file that says so on the disk.
struct HeldSlot {
  std::string pool;
  std::string slot;
  std::string name;
  std::filesystem::path marker;
};

struct CheckFacts {
  HostPaths paths;
  std::filesystem::path root;
  std::filesystem::path socket;
  bool from_daemon = false;
  std::vector<proto::DoctorCheck> away = {};  // pools that the daemon does not serve, and why
  std::optional<std::string> pool = {};       // this one alone
  std::vector<HeldSlot> held = {};            // of every pool that the daemon serves
};
// What is said of a lease whose marker is gone, and the worktree with it; nothing of one whose marker stands.
[[nodiscard]] std::optional<std::string> lost_lease(const HeldSlot& held);

[[nodiscard]] std::vector<std::filesystem::path> pools_of(const CheckFacts& facts);
[[nodiscard]] std::shared_ptr<const jobs::ServedPool> view(const std::string& key, const std::filesystem::path& directory);
[[nodiscard]] jobs::Served served(const jobs::ServedPool& pool);

[[nodiscard]] proto::DoctorResult run_doctor(const CheckFacts& facts);
// Prints to stdout; the exit code. `cwd` decides what is looked at where nothing else does.
int print_doctor(const CheckFacts& facts, bool json, bool repair);
int print_locks(const CheckFacts& facts, const Options& options);
// Where validate-gitmodules looks: the source of the pool that was named, else the current directory.
[[nodiscard]] std::filesystem::path validated(const CheckFacts& facts);
int validate_gitmodules(const std::filesystem::path& cwd, bool json);

}  // namespace wtpool::app
