// `git` as the daemon finds it first in PATH: it does what a script beside it says, and is git otherwise. Its folder is the
// first of PATH. The file `script` there has lines
//   NTH ACTION VALUE WORDS...
// where the NTH git (from 1; 0: each) whose arguments contain all WORDS does ACTION:
//   exit CODE            says `fatal: made up by the shim` and ends so
//   sleep MS             before it is git
//   hang SECONDS         and is deaf to SIGTERM
//   print MIB            of lines, and ends with 0
//   kill MICROSECONDS    starts git and ends it, and itself, by SIGKILL so much later
// Whoever acts on a slot holds a lock in `in-<git id>` for as long as that git lives; one that finds another there says so in
// the file `two-at-once`. Each says its arguments in `log`.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string folder, others;  // the first of PATH, and the rest

void append(const std::string& file, const std::string& text) {
  const int fd = ::open((folder + "/" + file).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (::write(fd, text.data(), text.size()) < 0) ::_exit(120);
  ::close(fd);
}

// How often this line has matched, this time included.
long count_match(std::size_t line) {
  const std::string name = folder + "/count-" + std::to_string(line);
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::flock(fd, LOCK_EX);
  if (::write(fd, "x", 1) < 0) ::_exit(120);
  const auto size = ::lseek(fd, 0, SEEK_END);
  ::close(fd);
  return static_cast<long>(size);
}

// The lock lives in whatever becomes of this process: git inherits it.
void be_alone_in_slot(const std::string& arguments) {
  const std::string mark = "/worktrees/";
  const auto option = arguments.find("--git-dir=");
  const auto at = option == std::string::npos ? option : arguments.find(mark, option);
  if (at == std::string::npos || at > arguments.find(' ', option)) return;
  const auto begin = at + mark.size();
  const auto id = arguments.substr(begin, arguments.find(' ', begin) - begin);
  const int fd = ::open((folder + "/in-" + id).c_str(), O_RDWR | O_CREAT, 0600);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) append("two-at-once", id + ": " + arguments + "\n");
}

[[noreturn]] void be_git(char** argv) {
  ::setenv("PATH", others.c_str(), 1);
  ::execvp("git", argv);
  ::_exit(127);
}

void act(const std::string& action, long value, char** argv) {
  if (action == "exit") {
    std::fputs("fatal: made up by the shim\n", stderr);
    std::exit(static_cast<int>(value));
  }
  if (action == "sleep") std::this_thread::sleep_for(std::chrono::milliseconds(value));
  if (action == "hang") {
    ::signal(SIGTERM, SIG_IGN);
    std::this_thread::sleep_for(std::chrono::seconds(value));
    ::_exit(1);
  }
  if (action == "print") {
    const std::string mebibyte = [] {
      std::string text;
      while (text.size() < 1024 * 1024) text += "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
      return text;
    }();
    for (long done = 0; done < value; ++done) std::fwrite(mebibyte.data(), 1, mebibyte.size(), stdout);
    std::exit(0);
  }
  if (action == "kill") {
    const pid_t child = ::fork();
    if (child == 0) be_git(argv);
    std::this_thread::sleep_for(std::chrono::microseconds(value));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    append("killed", "x");
    ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* variable = ::getenv("PATH");
  const std::string path = variable == nullptr ? "" : variable;
  folder = path.substr(0, path.find(':'));
  others = folder.size() < path.size() ? path.substr(folder.size() + 1) : "";
  std::string arguments;
  for (int i = 1; i < argc; ++i) arguments += std::string(argv[i]) + " ";
  append("log", arguments + "\n");
  be_alone_in_slot(arguments);

  std::ifstream script(folder + "/script");
  std::size_t number = 0;
  for (std::string line; std::getline(script, line); ++number) {
    std::istringstream fields(line);
    long nth = 0, value = 0;
    std::string action;
    fields >> nth >> action >> value;
    bool matches = !action.empty();
    for (std::string word; matches && fields >> word;) matches = arguments.find(word) != std::string::npos;
    if (matches && (count_match(number) == nth || nth == 0)) act(action, value, argv);
  }
  be_git(argv);
}
