// Where things are, from the environment: the one place that reads HOME, XDG_*, WORKTREE_ROOT and WTPOOL_SOCKET.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace wtpool {

struct HostPaths {
  std::filesystem::path home;
  std::filesystem::path state_dir;                       // $XDG_STATE_HOME/wtpool
  std::filesystem::path instance_lock;                   // state_dir/instance.lock
  std::filesystem::path log_file;                        // state_dir/wtpoold.log
  std::filesystem::path host_config;                     // $XDG_CONFIG_HOME/wtpool/wtpoold.yaml
  std::filesystem::path default_root;                    // $XDG_DATA_HOME/wtpool/pools
  std::optional<std::filesystem::path> root_from_env;    // $WORKTREE_ROOT, absolute
  std::optional<std::filesystem::path> socket_from_env;  // $WTPOOL_SOCKET, absolute
  std::filesystem::path default_socket;                  // $XDG_RUNTIME_DIR/wtpool/wtpoold.sock, else ~/.wtpool/wtpoold.sock
};

// Throws proto::Error when there is no home directory. Relative values are made absolute against the current directory;
// an empty variable counts as absent; XDG_* that are not absolute are ignored, as their specification says.
[[nodiscard]] HostPaths host_paths();

// Longest socket path the platform takes: 107 bytes on Linux, 103 on macOS. Throws io_error naming path, length and limit.
void check_socket_path(const std::filesystem::path& path);

// What instance.lock says of the daemon that holds it.
struct InstanceRecord {
  std::int64_t pid = 0;
  std::string version;
  std::string socket;
  std::string root;
};
[[nodiscard]] std::string format_instance(const InstanceRecord& record);
[[nodiscard]] std::optional<InstanceRecord> parse_instance(const std::string& text);
// The record, if some process holds the lock now.
[[nodiscard]] std::optional<InstanceRecord> running_instance(const std::filesystem::path& instance_lock);

// ~ and ~/x expanded; relative made absolute against `base`; normalised lexically.
[[nodiscard]] std::filesystem::path expand_path(const std::string& text, const std::filesystem::path& base);

}  // namespace wtpool
