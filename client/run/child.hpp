// One command, started in a process group of its own in two steps: forked and held, then let go. Its zombie is kept until the
// group has been ended, so that the group's id cannot become another's. The main thread; throws proto::Error(io_error).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/interrupts.hpp"
#include "common/files/fd.hpp"

namespace wtpool::client {

struct CommandLine {
  std::vector<std::string> argv;         // argv[0] is looked up in PATH, as seen from `directory`
  std::vector<std::string> environment;  // KEY=VALUE
  std::filesystem::path directory;
};

struct CannotRun {
  enum class What { enter_directory, run } what = What::run;
  int error_number = 0;
};

class Child {
 public:
  Child(const CommandLine& line, const Interrupts& signals);  // it gets the signals' handling that `signals` found
  ~Child();                                                   // SIGKILL to the group of one that was not finished
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t group() const { return pid_; }
  // Returns when it has become its program, or could not.
  [[nodiscard]] std::optional<CannotRun> let_go();

  struct Change {
    enum class Kind { stopped, continued, ended } kind = Kind::ended;
    int signal = 0;  // that stopped it
  };
  [[nodiscard]] std::optional<Change> change();  // what became of it since the last call; ended is said again and again
  void signal(int number) const;                 // to the whole group

  // SIGTERM to what is left of the group, SIGKILL after `patience` or once `hurry` says so. Then reaps: the command's exit
  // code, 128+n when a signal ended it.
  int finish(std::chrono::milliseconds patience, const std::function<bool()>& hurry);

 private:
  pid_t pid_ = -1;
  Fd go_;      // a byte lets it go, the end of the stream makes it leave
  Fd failed_;  // what it could not do; closed by a successful exec
};

}  // namespace wtpool::client
