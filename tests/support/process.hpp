// Programs as a test sees them: started with an argument vector, an environment of the test's own and their output in files
// (a pipe would stay open in a daemon that a client leaves behind). Nothing waits without a deadline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wtpool::test {

namespace fs = std::filesystem;
using Environment = std::map<std::string, std::string>;
using namespace std::chrono_literals;

struct Outcome {
  int code = -1;  // exit status; 128+n after signal n; -1 when the deadline passed and it was killed
  std::string out;
  std::string err;
};
// For messages of assertions: << outcome.
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH of `environment`, unless it has a slash
  Environment environment;
  fs::path directory = {};  // empty = inherited
  std::string input = {};   // stdin; empty = /dev/null
  std::chrono::milliseconds deadline = 60s;
};

class Process {
 public:
  explicit Process(const Command& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // SIGKILL when it still runs

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  Outcome wait(std::chrono::milliseconds deadline = 60s);
  [[nodiscard]] std::string err_so_far() const;

 private:
  void reap(int options);
  void drop();
  pid_t pid_ = -1;
  std::optional<int> code_;
  std::string out_file_, err_file_;
};

Outcome run(const Command& command);

// True as soon as `condition` is; false when the deadline passed first.
bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds deadline = 20s);

// A directory below /tmp with a short name (sockets live in it), removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// What the kernel counts of a running process (Linux); RSS is VmRSS, allocator pools and all.
struct Figures {
  int descriptors = 0;
  int threads = 0;
  long resident_kib = 0;
};
Figures figures_of(pid_t pid);

std::string read_text(const fs::path& file);  // empty when it is not there
void write_text(const fs::path& file, const std::string& text);
std::string trimmed(std::string text);  // without newlines and blanks at the end
std::vector<std::string> lines_of(const std::string& text);

}  // namespace wtpool::test
