// wtpool_kill_at: runs a program and kills it, or what it starts, as it enters its N-th system call that changes something.
//
//   wtpool_kill_at --order FILE --report FILE -- PROGRAM [ARGUMENT...]
//
// The order is `daemon N`, `git N` or `all N`, and anything behind it, and holds while the file is there and the program lives;
// another text begins at zero. `daemon` counts the calls of the program, all its threads together, and kills it alone; `git`
// counts the calls of everything that it starts, and kills the one process that makes the N-th; `all` counts both and kills
// every process at once, as the end of a control group does. The call of the kill is not carried out. The report says `killed N
// <program> <call>` once it happened. After a SIGUSR1 the order that is followed from then on is in the report's file with
// `.seen` behind its name.
//
// strace counts its when=N per thread, and jobs run in whichever thread is free; a point of a run can be named by a count over
// all threads only. SIGTERM is handed on to the program; when it has ended and all that it left behind, its code is this one's.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/faults/kill_at/calls.hpp"

namespace wtpool::test {
namespace {

struct Options {
  std::string order, report;
  std::vector<char*> command;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word == "--") {
      options.command.assign(argv + at + 1, argv + argc);
      break;
    }
    if (++at >= argc) throw std::runtime_error("no value after " + word);
    (word == "--order" ? options.order : options.report) = argv[at];
  }
  if (options.command.empty() || options.order.empty() || options.report.empty()) throw std::runtime_error("wrong usage");
  options.command.push_back(nullptr);
  return options;
}

// The text of a small file; empty when there is none.
std::string text_of(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

pid_t forward_to = -1;
void forward(int signal) {
  if (forward_to > 0) ::kill(forward_to, signal);
}

volatile sig_atomic_t asked_to_look = 0;
void look(int) { asked_to_look = 1; }

pid_t process_of(pid_t thread) {
  char name[64];
  std::snprintf(name, sizeof name, "/proc/%d/status", thread);
  pid_t process = thread;
  if (std::FILE* file = std::fopen(name, "re")) {
    char line[256];
    while (std::fgets(line, sizeof line, file))
      if (std::sscanf(line, "Tgid: %d", &process) == 1) break;
    std::fclose(file);
  }
  return process;
}

class Killer {
 public:
  explicit Killer(Options options) : options_(std::move(options)) {}

  int run() {
    daemon_ = start();
    forward_to = daemon_;
    struct sigaction action {};
    action.sa_handler = forward;
    ::sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = look;
    ::sigaction(SIGUSR1, &action, nullptr);
    for (int status = 0;;) {
      if (asked_to_look != 0) {
        asked_to_look = 0;
        follow_order();
        write(".seen", order_);
      }
      const pid_t thread = ::waitpid(-1, &status, __WALL);
      if (thread < 0 && errno == EINTR) continue;
      if (thread < 0) break;
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        process_.erase(thread);
        if (thread == daemon_) over_ = true;
        if (thread == daemon_) code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      } else if (WIFSTOPPED(status)) {
        stopped(thread, status);
      }
    }
    return code_;
  }

 private:
  pid_t start() const {
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child == 0) {
      ::raise(SIGSTOP);
      stop_at_calls_that_change();
      ::execvp(options_.command[0], options_.command.data());
      std::perror(options_.command[0]);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, WUNTRACED);
    constexpr long kOptions = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                              PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
    if (::ptrace(PTRACE_SEIZE, child, nullptr, kOptions) != 0) {
      const int failure = errno;
      ::kill(child, SIGKILL);
      throw std::runtime_error(std::string("cannot trace: ") + std::strerror(failure));
    }
    ::kill(child, SIGCONT);
    return child;
  }

  void stopped(pid_t thread, int status) {
    const int event = status >> 16;
    int signal = 0;
    if (event == PTRACE_EVENT_SECCOMP) {
      if (entered(thread)) return;
    } else if (event == PTRACE_EVENT_STOP) {
      const int why = WSTOPSIG(status);
      if (why == SIGSTOP || why == SIGTSTP || why == SIGTTIN || why == SIGTTOU) {
        ::ptrace(PTRACE_LISTEN, thread, nullptr, nullptr);
        return;
      }
    } else if (event == 0) {
      signal = WSTOPSIG(status);
    }
    ::ptrace(PTRACE_CONT, thread, nullptr, static_cast<long>(signal));
  }

  void follow_order() {
    std::string text = text_of(options_.order);
    if (text == order_) return;
    order_ = std::move(text);
    std::istringstream fields(order_);
    if (!(fields >> who_ >> at_)) who_.clear();
    count_ = 0;
  }

  // A thread is about to make a call that changes something. True when it, or everybody, was killed.
  bool entered(pid_t thread) {
    follow_order();
    if (who_.empty() || over_) return false;
    auto known = process_.find(thread);
    if (known == process_.end()) known = process_.emplace(thread, process_of(thread)).first;
    const pid_t process = known->second;
    const bool is_daemon = process == daemon_;
    if (who_ != "all" && is_daemon != (who_ == "daemon")) return false;
    const auto call = describe_call(thread, is_daemon);
    if (!call || ++count_ != at_) return false;
    const std::string victim = is_daemon ? "daemon" : program_of(process);
    if (who_ == "all") {
      for (const pid_t each : everybody()) ::kill(each, SIGKILL);
    } else {
      ::kill(process, SIGKILL);
    }
    over_ = who_ != "git";
    report("killed " + std::to_string(count_) + " " + victim + " " + *call);
    return true;
  }

  std::set<pid_t> everybody() {
    std::set<pid_t> all{daemon_};
    // Also those that have made no counted call yet: whoever descends from the program has this process as its tracer.
    for (const pid_t each : tracees_of(::getpid())) all.insert(each);
    return all;
  }

  void report(const std::string& text) const { write("", text + "\n"); }
  void write(const std::string& suffix, const std::string& text) const {
    const int fd = ::open((options_.report + ".new").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ::write(fd, text.data(), text.size()) < 0) std::perror("report");
    ::close(fd);
    ::rename((options_.report + ".new").c_str(), (options_.report + suffix).c_str());
  }

  Options options_;
  std::string order_, who_;  // who_ empty: nobody is to be killed
  long at_ = 0;
  pid_t daemon_ = -1;
  bool over_ = false;  // the program was killed, or ended: what it left behind is not whom the next order means
  int code_ = 1;
  long count_ = 0;
  std::map<pid_t, pid_t> process_;  // of a thread
};

}  // namespace
}  // namespace wtpool::test

int main(int argc, char** argv) {
  try {
    return wtpool::test::Killer(wtpool::test::read_options(argc, argv)).run();
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "wtpool_kill_at: %s\n", failed.what());
    return 125;
  }
}
