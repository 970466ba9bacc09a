#include "tests/support/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace wtpool::test {
namespace {

std::string make_file(const std::string& content) {
  std::string name = "/tmp/wtt-io.XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("mkostemp failed");
  if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    throw std::runtime_error("write failed");
  ::close(fd);
  return name;
}

std::string found_in_path(const Command& command) {
  const auto& program = command.argv.at(0);
  if (program.find('/') != std::string::npos) return program;
  const auto path = command.environment.find("PATH");
  std::istringstream folders(path == command.environment.end() ? "/usr/bin:/bin" : path->second);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return folder + "/" + program;
  }
  throw std::runtime_error("no program " + program);
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << "exit " << outcome.code << "\n--- stdout\n" << outcome.out << "--- stderr\n" << outcome.err << "---\n";
}

Process::Process(const Command& command) {
  const auto program = found_in_path(command);
  std::vector<std::string> variables;
  for (const auto& [key, value] : command.environment) variables.push_back(key + "=" + value);
  std::vector<char*> argv, envp;
  for (const auto& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  for (const auto& variable : variables) envp.push_back(const_cast<char*>(variable.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  out_file_ = make_file("");
  err_file_ = make_file("");
  const auto in_file = command.input.empty() ? std::string("/dev/null") : make_file(command.input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, in_file.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out_file_.c_str(), O_WRONLY | O_APPEND, 0);
  posix_spawn_file_actions_addopen(&actions, 2, err_file_.c_str(), O_WRONLY | O_APPEND, 0);
  if (!command.directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (in_file != "/dev/null") ::unlink(in_file.c_str());
  if (failed != 0) throw std::runtime_error("cannot start " + program);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      code_(other.code_),
      out_file_(std::exchange(other.out_file_, {})),
      err_file_(std::exchange(other.err_file_, {})) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    drop();
    pid_ = std::exchange(other.pid_, -1);
    code_ = other.code_;
    out_file_ = std::exchange(other.out_file_, {});
    err_file_ = std::exchange(other.err_file_, {});
  }
  return *this;
}

Process::~Process() { drop(); }

void Process::drop() {
  if (pid_ > 0 && !code_) {
    ::kill(pid_, SIGKILL);
    reap(0);
  }
  if (!out_file_.empty()) ::unlink(out_file_.c_str());
  if (!err_file_.empty()) ::unlink(err_file_.c_str());
}

void Process::reap(int options) {
  if (code_ || pid_ <= 0) return;
  int status = 0;
  if (::waitpid(pid_, &status, options) == pid_) code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Process::running() {
  reap(WNOHANG);
  return pid_ > 0 && !code_;
}

void Process::signal(int number) const {
  if (pid_ > 0 && !code_) ::kill(pid_, number);
}

Outcome Process::wait(std::chrono::milliseconds deadline) {
  Outcome outcome;
  if (wait_until([this] { return !running(); }, deadline)) {
    outcome.code = code_.value_or(-1);
  } else {
    ::kill(pid_, SIGKILL);
    reap(0);
  }
  outcome.out = read_text(out_file_);
  outcome.err = read_text(err_file_);
  return outcome;
}

std::string Process::err_so_far() const { return read_text(err_file_); }

Outcome run(const Command& command) { return Process(command).wait(command.deadline); }

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (auto pause = 1ms; !condition(); pause = std::min(pause * 2, std::chrono::milliseconds(20))) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    std::this_thread::sleep_for(pause);
  }
  return true;
}

TempDir::TempDir() {
  std::string name = "/tmp/wtt.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  if (ignored) {  // something read-only is in it, and the test does not run as root
    fs::permissions(path_, fs::perms::owner_all, ignored);
    for (fs::recursive_directory_iterator it(path_, ignored), end; !ignored && it != end; it.increment(ignored)) {
      if (it->is_directory(ignored) && !it->is_symlink(ignored)) fs::permissions(it->path(), fs::perms::owner_all, ignored);
    }
    fs::remove_all(path_, ignored);
  }
}

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + file.string());
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) text.pop_back();
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Figures figures_of(pid_t pid) {
  Figures figures;
  const auto proc = "/proc/" + std::to_string(pid);
  for (const auto& entry : fs::directory_iterator(proc + "/fd")) {
    (void)entry;
    ++figures.descriptors;
  }
  for (const auto& line : lines_of(read_text(proc + "/status"))) {
    if (line.starts_with("VmRSS:")) figures.resident_kib = std::strtol(line.c_str() + 6, nullptr, 10);
    if (line.starts_with("Threads:")) figures.threads = static_cast<int>(std::strtol(line.c_str() + 8, nullptr, 10));
  }
  return figures;
}

}  // namespace wtpool::test
