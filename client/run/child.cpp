#include "client/run/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "client/cli/standard_streams.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"

extern char** environ;

namespace wtpool::client {
namespace {

using std::chrono::steady_clock;

struct Ends {
  Fd read;
  Fd write;
};

Ends make_pipe() {
  int ends[2];
  if (::pipe(ends) != 0) throw io_error("cannot make a pipe for", "the command", errno);
  for (const int fd : ends) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec: nothing that allocates.
[[noreturn]] void become(char* const* argv, char** envp, const char* directory, int go, int failed) {
  char byte = 0;
  ssize_t n = 0;
  while ((n = ::read(go, &byte, 1)) < 0 && errno == EINTR) {
  }
  if (n != 1) ::_exit(125);
  CannotRun why{CannotRun::What::enter_directory, 0};
  if (::chdir(directory) == 0) {
    why.what = CannotRun::What::run;
    environ = envp;
    ::execvp(argv[0], argv);
  }
  why.error_number = errno;
  [[maybe_unused]] const ssize_t told = ::write(failed, &why, sizeof why);
  ::_exit(125);
}

bool anything_lives(pid_t group) { return !platform::processes_of_group(group).empty(); }

}  // namespace

Child::Child(const CommandLine& line, const Interrupts& signals) {
  Ends go = make_pipe();
  Ends failed = make_pipe();
  auto words = line.argv;
  auto variables = line.environment;
  const auto argv = pointers_to(words);
  auto envp = pointers_to(variables);
  const std::string directory = line.directory.string();

  // A signal that the child gets before it is itself must not be told to us.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  const int why = errno;
  if (pid_ == 0) {
    ::setpgid(0, 0);
    go.write.reset();
    signals.restore();
    hand_on_sigpipe();
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    become(argv.data(), envp.data(), directory.c_str(), go.read.get(), failed.write.get());
  }
  if (pid_ > 0) ::setpgid(pid_, pid_);  // whoever comes first: afterwards there is the group
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) throw io_error("cannot make a process for", line.argv.front(), why);
  go_ = std::move(go.write);
  failed_ = std::move(failed.read);
}

Child::~Child() {
  if (pid_ <= 0) return;
  signal(SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<CannotRun> Child::let_go() {
  const char byte = 1;
  while (::write(go_.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  go_.reset();
  CannotRun why;
  ssize_t n = 0;
  while ((n = ::read(failed_.get(), &why, sizeof why)) < 0 && errno == EINTR) {
  }
  failed_.reset();
  if (n != static_cast<ssize_t>(sizeof why)) return std::nullopt;
  return why;
}

std::optional<Child::Change> Child::change() {
  siginfo_t info = {};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WCONTINUED | WNOHANG) == 0 && info.si_pid == pid_) {
    if (info.si_code == CLD_CONTINUED) return Change{Change::Kind::continued, 0};
    return Change{Change::Kind::stopped, info.si_status};
  }
  info = {};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_) {
    return Change{Change::Kind::ended, 0};
  }
  return std::nullopt;
}

void Child::signal(int number) const { ::kill(-pid_, number); }

int Child::finish(std::chrono::milliseconds patience, const std::function<bool()>& hurry) {
  const auto end = steady_clock::now() + patience;
  const auto ended = [this] {
    const auto now = change();
    return now && now->kind == Change::Kind::ended;
  };
  signal(SIGTERM);
  signal(SIGCONT);  // what is stopped does not hear it otherwise
  for (int pause = 2; !ended() || anything_lives(pid_); pause = pause < 50 ? pause * 2 : pause) {
    if (steady_clock::now() >= end || hurry()) {
      signal(SIGKILL);
      break;
    }
    ::poll(nullptr, 0, pause);
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace wtpool::client
