#include "client/daemon/start.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "client/daemon/detach.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "proto/shell_word.hpp"

extern char** environ;

namespace wtpool::client {
namespace {

using namespace std::chrono_literals;
using proto::Error;
using proto::ErrorKind;
using std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto kStartLimit = 10s;
constexpr auto kLockLimit = 20s;                // another client's start, and some
constexpr off_t kStderrLimit = 1024 * 1024;     // what earlier daemons said is dropped past it
constexpr std::size_t kLastWordsLimit = 16384;  // of stderr, looked at for the last line

bool runnable(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

Error cannot_start(const std::string& why, const std::string& hint = {}) {
  return {ErrorKind::unreachable, "cannot start the daemon: " + why, hint};
}

// Either the lock, or a daemon that somebody else started meanwhile.
struct LockOrSocket {
  Fd lock;
  std::optional<Fd> socket;
};

LockOrSocket lock_starting(const fs::path& file, const fs::path& socket_path) {
  LockOrSocket got;
  got.lock.reset(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!got.lock.valid()) throw io_error("cannot open", file, errno);
  const auto end = steady_clock::now() + kLockLimit;
  while (true) {
    const bool locked = ::flock(got.lock.get(), LOCK_EX | LOCK_NB) == 0;
    const int why = errno;
    got.socket = connect_to(socket_path);
    if (locked || got.socket) return got;
    if (why != EWOULDBLOCK && why != EINTR) throw io_error("cannot lock", file, why);
    if (steady_clock::now() >= end)
      throw cannot_start("another client is at it, and does not get done (it holds " + file.string() + ")");
    ::poll(nullptr, 0, 10);
  }
}

struct SpawnParts {
  SpawnParts() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~SpawnParts() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnParts(const SpawnParts&) = delete;
  SpawnParts& operator=(const SpawnParts&) = delete;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

pid_t spawn_detached(const fs::path& program, std::vector<std::string> environment, int stderr_fd) {
  SpawnParts parts;
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  int failed = ::posix_spawnattr_setsigdefault(&parts.attributes, &all);
  if (!failed) failed = ::posix_spawnattr_setsigmask(&parts.attributes, &none);
  if (!failed) failed = ::posix_spawn_file_actions_addchdir_np(&parts.actions, "/");
  if (!failed) failed = ::posix_spawn_file_actions_addopen(&parts.actions, 0, "/dev/null", O_RDONLY, 0);
  if (!failed) failed = ::posix_spawn_file_actions_addopen(&parts.actions, 1, "/dev/null", O_WRONLY, 0);
  if (!failed) failed = ::posix_spawn_file_actions_adddup2(&parts.actions, stderr_fd, 2);
  if (!failed) failed = detach(parts.attributes, parts.actions, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::string name = program.string();
  char* const argv[] = {name.data(), nullptr};
  std::vector<char*> envp;
  for (std::string& entry : environment) envp.push_back(entry.data());
  envp.push_back(nullptr);
  pid_t pid = 0;
  if (!failed) failed = ::posix_spawn(&pid, program.c_str(), &parts.actions, &parts.attributes, argv, envp.data());
  if (failed) throw cannot_start(program.string() + ": " + std::strerror(failed));
  return pid;
}

std::string last_line_since(int fd, off_t start) {
  const off_t end = ::lseek(fd, 0, SEEK_END);
  const off_t from = std::max(start, end - static_cast<off_t>(kLastWordsLimit));
  std::string text(static_cast<std::size_t>(std::max<off_t>(end - from, 0)), '\0');
  const ssize_t n = ::pread(fd, text.data(), text.size(), from);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  text.erase(text.find_last_not_of(" \n") + 1);
  const std::size_t cut = text.rfind('\n');
  return cut == std::string::npos ? text : text.substr(cut + 1);
}

// Ours has ended: because one that was faster serves, or is about to, where we look?
bool another_comes_up(int status, const Endpoint& endpoint, const HostPaths& paths) {
  const auto running = running_instance(paths.instance_lock);
  if (running) return running->socket == endpoint.socket.string();
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;  // it may not have said yet where it listens
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "it was ended by signal " + std::to_string(WTERMSIG(status));
  return "it ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::optional<Service> installed_service(const fs::path& home) {
#ifdef __APPLE__
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(home / "Library/LaunchAgents", ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with("wtpoold.plist")) continue;
    const std::string label = name.substr(0, name.size() - std::string_view(".plist").size());
    return Service{entry.path(), "launchctl kickstart " + proto::shell_word("gui/" + std::to_string(::getuid()) + "/" + label)};
  }
#else
  const auto directory = [&home](const char* variable, const char* otherwise) {
    const char* value = std::getenv(variable);
    return value && *value == '/' ? fs::path(value) : home / otherwise;
  };
  for (const fs::path& units :
       {directory("XDG_CONFIG_HOME", ".config") / "systemd/user", directory("XDG_DATA_HOME", ".local/share") / "systemd/user",
        fs::path("/etc/systemd/user"), fs::path("/usr/local/lib/systemd/user"), fs::path("/usr/lib/systemd/user")}) {
    for (const char* unit : {"wtpoold.socket", "wtpoold.service"}) {
      std::error_code ignored;
      if (fs::exists(units / unit, ignored)) return Service{units / unit, "systemctl --user start wtpoold"};
    }
  }
#endif
  return std::nullopt;
}

fs::path find_wtpoold() {
  const fs::path beside = platform::own_executable().parent_path() / "wtpoold";
  if (runnable(beside)) return beside;
  const char* value = std::getenv("PATH");
  std::string_view rest = value ? value : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path directory(rest.substr(0, end));
    // an empty or relative entry would run what the current directory holds
    if (directory.is_absolute() && runnable(directory / "wtpoold")) return directory / "wtpoold";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  throw cannot_start("wtpoold is neither at " + beside.string() + " nor in PATH");
}

std::vector<std::string> own_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry && *entry; ++entry) entries.emplace_back(*entry);
  return entries;
}

std::vector<std::string> daemon_environment(const std::vector<std::string>& inherited, const Endpoint& endpoint,
                                            const HostPaths& paths) {
  static constexpr std::string_view kKept[] = {"PATH", "USER", "LANG", "SSH_AUTH_SOCK"};
  std::vector<std::string> kept = {"HOME=" + paths.home.string()};
  for (const std::string& entry : inherited) {
    const std::string_view key = std::string_view(entry).substr(0, entry.find('='));
    if (key.starts_with("XDG_") || std::find(std::begin(kKept), std::end(kKept), key) != std::end(kKept)) kept.push_back(entry);
  }
  if (paths.root_from_env) kept.push_back("WORKTREE_ROOT=" + paths.root_from_env->string());
  if (endpoint.said) kept.push_back("WTPOOL_SOCKET=" + endpoint.socket.string());
  return kept;
}

Started start_daemon(const Endpoint& endpoint, const HostPaths& paths) {
  const fs::path program = find_wtpoold();
  make_directories(paths.state_dir, 0700);
  LockOrSocket got = lock_starting(paths.state_dir / "spawn.lock", endpoint.socket);
  if (got.socket) return {std::move(*got.socket), false};

  const fs::path said = paths.state_dir / "wtpoold.stderr";
  const Fd said_fd(::open(said.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!said_fd.valid()) throw io_error("cannot open", said, errno);
  off_t start = ::lseek(said_fd.get(), 0, SEEK_END);
  if (start > kStderrLimit && ::ftruncate(said_fd.get(), 0) == 0) start = 0;

  const pid_t pid = spawn_detached(program, daemon_environment(own_environment(), endpoint, paths), said_fd.get());
  const auto end = steady_clock::now() + kStartLimit;
  std::optional<int> ended;
  while (true) {
    if (auto socket = connect_to(endpoint.socket)) return {std::move(*socket), !ended};
    if (ended && !another_comes_up(*ended, endpoint, paths)) break;
    if (steady_clock::now() >= end) break;
    if (int status = 0; !ended && ::waitpid(pid, &status, WNOHANG) == pid) {
      ended = status;
    } else {
      ::poll(nullptr, 0, 5);
    }
  }
  std::string why = ended ? how_it_ended(*ended) : "it does not answer at " + endpoint.socket.string();
  if (const std::string last = last_line_since(said_fd.get(), start); !last.empty()) why += "; it said: " + last;
  throw cannot_start(why, "cat " + proto::shell_word(said.string()));
}

}  // namespace wtpool::client
