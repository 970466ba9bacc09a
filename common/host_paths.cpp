#include "common/host_paths.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "common/base/names.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "common/process/account.hpp"

namespace wtpool {
namespace {

using std::filesystem::path;

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

path normal(const path& raw) {
  path clean = raw.lexically_normal();
  if (clean.has_relative_path() && clean.filename().empty()) clean = clean.parent_path();
  return clean;
}

path absolute_here(const std::string& text) {
  std::error_code failure;
  const path absolute = std::filesystem::absolute(text, failure);
  return normal(failure ? path(text) : absolute);
}

std::optional<path> home_directory() {
  if (const auto home = variable("HOME")) return absolute_here(*home);
  if (const auto home = platform::home_of_account()) return normal(*home);
  return std::nullopt;
}

path xdg_directory(const char* name, const path& fallback) {
  const auto value = variable(name);
  return value && path(*value).is_absolute() ? normal(*value) : fallback;
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    if (c == '\\')
      line += "\\\\";
    else if (c == '\n')
      line += "\\n";
    else
      line += c;
  }
  return line;
}

std::string from_one_line(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      text += line[i] == 'n' ? '\n' : line[i];
    } else {
      text += line[i];
    }
  }
  return text;
}

}  // namespace

HostPaths host_paths() {
  const auto home = home_directory();
  if (!home)
    throw proto::Error(proto::ErrorKind::io_error, "cannot find the home directory: HOME is not set and the user has none",
                       "export HOME=/path/to/home");
  HostPaths paths;
  paths.home = *home;
  paths.state_dir = xdg_directory("XDG_STATE_HOME", *home / ".local/state") / "wtpool";
  paths.instance_lock = paths.state_dir / "instance.lock";
  paths.log_file = paths.state_dir / "wtpoold.log";
  paths.host_config = xdg_directory("XDG_CONFIG_HOME", *home / ".config") / "wtpool/wtpoold.yaml";
  paths.default_root = xdg_directory("XDG_DATA_HOME", *home / ".local/share") / "wtpool/pools";
  if (const auto root = variable("WORKTREE_ROOT")) paths.root_from_env = expand_path(*root, absolute_here("."));
  if (const auto socket = variable("WTPOOL_SOCKET")) paths.socket_from_env = absolute_here(*socket);
  const path runtime = xdg_directory("XDG_RUNTIME_DIR", path());
  paths.default_socket = runtime.empty() ? *home / ".wtpool/wtpoold.sock" : runtime / "wtpool/wtpoold.sock";
  return paths;
}

void check_socket_path(const path& socket) {
  constexpr std::size_t kLimit = sizeof(sockaddr_un::sun_path) - 1;
  const std::size_t length = socket.native().size();
  if (length > kLimit)
    throw proto::Error(proto::ErrorKind::io_error,
                       "cannot use the socket path " + printable(socket.native()) + ": it has " + std::to_string(length) +
                           " bytes, and this system takes at most " + std::to_string(kLimit),
                       "export WTPOOL_SOCKET=/tmp/wtpool/s");
}

std::string format_instance(const InstanceRecord& record) {
  return "pid: " + std::to_string(record.pid) + "\nversion: " + one_line(record.version) +
         "\nsocket: " + one_line(record.socket) + "\nroot: " + one_line(record.root) + "\n";
}

std::optional<InstanceRecord> parse_instance(const std::string& text) {
  InstanceRecord record;
  int found = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;  // cut short while it was written
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (key == "pid") {
      const auto [stop, failure] = std::from_chars(value.data(), value.data() + value.size(), record.pid);
      if (failure != std::errc{} || stop != value.data() + value.size() || record.pid <= 0 ||
          record.pid > std::numeric_limits<pid_t>::max())
        return std::nullopt;
      found |= 1;
    } else if (key == "version") {
      record.version = from_one_line(value);
      found |= 2;
    } else if (key == "socket") {
      record.socket = from_one_line(value);
      found |= 4;
    } else if (key == "root") {
      record.root = from_one_line(value);
      found |= 8;
    }
  }
  if (found != 15) return std::nullopt;
  return record;
}

std::optional<InstanceRecord> running_instance(const path& instance_lock) {
  const Fd file(::open(instance_lock.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return std::nullopt;
  const auto text = read_file(instance_lock, 64 * 1024);
  if (!text) return std::nullopt;
  auto record = parse_instance(*text);
  // The pid is asked first: the lock is tried only where a daemon most likely has it, so that many clients who look at once
  // do not keep a daemon that is just starting from taking it.
  if (!record || (::kill(static_cast<pid_t>(record->pid), 0) != 0 && errno == ESRCH)) return std::nullopt;
  int taken = 0;
  do {
    taken = ::flock(file.get(), LOCK_SH | LOCK_NB);
  } while (taken != 0 && errno == EINTR);
  if (taken == 0) {
    ::flock(file.get(), LOCK_UN);
    return std::nullopt;
  }
  if (errno != EWOULDBLOCK) return std::nullopt;
  return record;
}

path expand_path(const std::string& text, const path& base) {
  if (text == "~" || text.starts_with("~/")) {
    if (const auto home = home_directory()) return normal(*home / text.substr(text == "~" ? 1 : 2));
  }
  return normal(path(text).is_absolute() ? path(text) : base / text);
}

}  // namespace wtpool
