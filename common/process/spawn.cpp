#include "common/process/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <set>

#include "common/files/files.hpp"
#include "common/platform/child.hpp"

namespace wtpool {
namespace {

using std::filesystem::path;
using Clock = std::chrono::steady_clock;

// Both ends above 2, so that no file action in the child overwrites one that a later action needs.
std::array<Fd, 2> make_pipe(const std::string& program) {
  int raw[2] = {-1, -1};
#ifdef __linux__
  const int result = ::pipe2(raw, O_CLOEXEC);
#else
  const int result = ::pipe(raw);
#endif
  if (result != 0) throw io_error("cannot make a pipe for", program, errno);
  std::array<Fd, 2> ends{Fd(raw[0]), Fd(raw[1])};
  for (Fd& end : ends) {
#ifndef __linux__
    ::fcntl(end.get(), F_SETFD, FD_CLOEXEC);
#endif
    if (end.get() > 2) continue;
    Fd higher(::fcntl(end.get(), F_DUPFD_CLOEXEC, 3));
    if (!higher.valid()) throw io_error("cannot make a pipe for", program, errno);
    end = std::move(higher);
  }
  return ends;
}

void set_nonblocking(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

bool can_execute(const path& program) {
  struct ::stat status {};
  return ::stat(program.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(program.c_str(), X_OK) == 0;
}

// As execvp would, but in the PATH that the child gets, and never in the current directory by an empty or relative entry.
path find_program(const SpawnOptions& options) {
  if (options.argv.empty() || options.argv.front().empty())
    throw proto::Error(proto::ErrorKind::internal, "cannot run a program without a name");
  const std::string& name = options.argv.front();
  if (name.find('/') != std::string::npos) return name;
  std::string_view search = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string& entry : options.environment)
    if (entry.starts_with("PATH=")) search = std::string_view(entry).substr(5);
  while (!search.empty()) {
    const std::size_t end = std::min(search.find(':'), search.size());
    const std::string_view directory = search.substr(0, end);
    search.remove_prefix(std::min(end + 1, search.size()));
    if (directory.empty() || directory.front() != '/') continue;
    if (path candidate = path(directory) / name; can_execute(candidate)) return candidate;
  }
  throw io_error("cannot run", name, ENOENT);
}

std::vector<char*> c_array(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&raw); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&raw); }
  posix_spawn_file_actions_t raw{};
};

class Attributes {
 public:
  Attributes() { ::posix_spawnattr_init(&raw); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&raw); }

  // A group of its own, nothing blocked, nothing ignored: whatever this process did to its own signals is not the child's.
  int set_defaults() {
    sigset_t none, all;  // without `::`, here and below: macOS has macros of these names
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    if (const int failure = ::posix_spawnattr_setpgroup(&raw, 0)) return failure;
    if (const int failure = ::posix_spawnattr_setsigmask(&raw, &none)) return failure;
    if (const int failure = ::posix_spawnattr_setsigdefault(&raw, &all)) return failure;
    return ::posix_spawnattr_setflags(&raw, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  posix_spawnattr_t raw{};
};

// The calls of posix_spawn that have not returned. It returns when the child has reached its program.
class Births {
 public:
  [[nodiscard]] std::uint64_t begin() {
    const std::lock_guard lock(mutex_);
    under_way_.insert(next_);
    return next_++;
  }
  void end(std::uint64_t birth) {
    {
      const std::lock_guard lock(mutex_);
      under_way_.erase(birth);
    }
    changed_.notify_all();
  }
  // Those that begin later are not waited for, or it might never end.
  void wait() {
    std::unique_lock lock(mutex_);
    const std::uint64_t now = next_;
    changed_.wait(lock, [&] { return under_way_.empty() || *under_way_.begin() >= now; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::uint64_t> under_way_;
  std::uint64_t next_ = 0;
};

Births& births() {
  static Births all;
  return all;
}

}  // namespace

void wait_for_births() { births().wait(); }

SpawnedChild::SpawnedChild(const SpawnOptions& options, StdinOf stdin_of) {
  const path program = find_program(options);
  const auto check = [&](int failure) {
    if (failure == 0) return;
    const bool no_directory = !options.directory.empty() && !std::filesystem::is_directory(options.directory);
    if (no_directory) throw io_error("cannot run " + program.string() + " in", options.directory, failure);
    throw io_error("cannot run", program, failure);
  };

  std::array<Fd, 2> in;
  if (stdin_of == StdinOf::pipe) in = make_pipe(program);
  std::array<Fd, 2> out = make_pipe(program);
  std::array<Fd, 2> err = make_pipe(program);

  FileActions actions;
  Attributes attributes;
  check(attributes.set_defaults());
  if (in[0].valid())
    check(::posix_spawn_file_actions_adddup2(&actions.raw, in[0].get(), STDIN_FILENO));
  else
    check(::posix_spawn_file_actions_addopen(&actions.raw, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
  check(::posix_spawn_file_actions_adddup2(&actions.raw, out[1].get(), STDOUT_FILENO));
  check(::posix_spawn_file_actions_adddup2(&actions.raw, err[1].get(), STDERR_FILENO));
  if (!options.directory.empty()) check(::posix_spawn_file_actions_addchdir_np(&actions.raw, options.directory.c_str()));
  check(platform::keep_only(attributes.raw, actions.raw, options.inherited));

  const std::vector<char*> argv = c_array(options.argv);
  const std::vector<char*> environment = c_array(options.environment);
  const std::uint64_t birth = births().begin();
  const int failure = ::posix_spawn(&pid_, program.c_str(), &actions.raw, &attributes.raw, argv.data(), environment.data());
  births().end(birth);
  check(failure);

  input = std::move(in[1]);
  output = std::move(out[0]);
  errors = std::move(err[0]);
  for (const Fd* const end : {&input, &output, &errors})
    if (end->valid()) set_nonblocking(*end);
  exit_watch = platform::watch_child(pid_);
}

SpawnedChild::~SpawnedChild() {
  if (pid_ < 0) return;
  signal_group(SIGKILL);
  reap();
}

void SpawnedChild::signal_group(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

bool SpawnedChild::ended() const {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  } while (result != 0 && errno == EINTR);
  return result != 0 || info.si_pid == pid_;
}

int SpawnedChild::reap() {
  int status = 0;
  pid_t result = 0;
  do {
    result = ::waitpid(pid_, &status, 0);
  } while (result < 0 && errno == EINTR);
  // Somebody ignores SIGCHLD, and the kernel threw the status away: no success can be claimed.
  if (result < 0) status = 255 << 8;
  pid_ = -1;
  return status;
}

ReadState read_available(Fd& fd, std::size_t limit, const std::function<void(std::string_view)>& sink) {
  std::array<char, 64 * 1024> buffer;
  std::size_t taken = 0;
  while (fd.valid() && taken < limit) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return ReadState::open;
    if (count <= 0) {
      fd.reset();
      break;
    }
    taken += static_cast<std::size_t>(count);
    sink(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
  }
  return fd.valid() ? ReadState::open : ReadState::closed;
}

int poll_timeout(Clock::time_point moment) {
  const auto now = Clock::now();
  if (moment <= now) return 0;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(std::min<Clock::duration>(moment - now, std::chrono::hours(1)));
  return static_cast<int>(left.count());
}

Clock::time_point moment_after(Clock::duration duration) {
  const auto now = Clock::now();
  if (duration >= Clock::time_point::max() - now) return Clock::time_point::max();
  return now + duration;
}

NoSigpipe::NoSigpipe() {
  sigset_t pipe_only, pending;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  ::sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe_only, &previous_);
}

NoSigpipe::~NoSigpipe() {
  sigset_t pipe_only, pending;
  ::sigpending(&pending);
  // Only a signal of our own write is taken away.
  if (!was_pending_ && sigismember(&pending, SIGPIPE) == 1) {
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    int taken = 0;
    ::sigwait(&pipe_only, &taken);
  }
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

}  // namespace wtpool
