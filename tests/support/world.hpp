// A host of one test's own: home, XDG directories, pools root and socket below one short temporary directory, and the daemon
// that serves them. Two worlds never meet, so every test may run beside every other.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/process.hpp"
#include "tests/support/repo.hpp"

namespace wtpool::test {

using nlohmann::json;

class World {
 public:
  World();
  ~World();  // ends whatever daemon serves this world
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] fs::path dir() const { return dir_.path(); }
  [[nodiscard]] fs::path home() const { return dir() / "home"; }
  [[nodiscard]] fs::path root() const { return dir() / "pools"; }
  [[nodiscard]] fs::path state() const { return dir() / "state/wtpool"; }
  [[nodiscard]] fs::path socket() const { return dir() / "run/s"; }
  Environment environment;                 // of every program that this world starts; tests change it at will
  std::vector<std::string> daemon_prefix;  // a program, with its arguments, that is to start the daemon: prlimit, strace

  // The daemon, in the foreground of its own process. start_daemon returns when it answers.
  void start_daemon();
  void launch_daemon();  // the same, where it may end before it answers
  void stop_daemon();    // SIGTERM, and waits for it
  void kill_daemon();    // SIGKILL, and waits for it
  [[nodiscard]] Process& daemon() { return *daemon_; }
  [[nodiscard]] bool answers() const;  // somebody accepts on the socket
  [[nodiscard]] Process start_wtpoold(std::vector<std::string> arguments = {}) const;
  [[nodiscard]] std::optional<pid_t> pid_in_instance_lock() const;

  // The client. `Options` default to the world's own directory and environment.
  struct Options {
    fs::path directory = {};
    Environment environment = {};  // on top of the world's
    std::chrono::milliseconds deadline = 60s;
  };
  [[nodiscard]] Outcome wtpool(std::vector<std::string> arguments) const { return wtpool(std::move(arguments), Options{}); }
  [[nodiscard]] Outcome wtpool(std::vector<std::string> arguments, const Options& options) const;
  [[nodiscard]] Process start_wtpool(std::vector<std::string> arguments) const;
  // Runs with --json, expects exit 0 and exactly one line, and parses it. Null, and a failed test, otherwise.
  [[nodiscard]] json json_of(std::vector<std::string> arguments) const;

  // Shorthands for the common case of one pool. Each fails the test when the exit code is not 0.
  void init(const Repo& source, std::vector<std::string> more = {}) const;
  fs::path acquire(const std::string& name, std::vector<std::string> more = {}) const;
  void release(const std::string& name, std::vector<std::string> more = {}) const;  // and waits until the slot is recycled
  [[nodiscard]] json slot(const std::string& id) const;                             // element of `ls --json`
  [[nodiscard]] std::string state_of(const std::string& slot) const;
  bool wait_for_state(const std::string& slot, const std::string& state) const;

  [[nodiscard]] Repo make_repo(const std::string& name = "app", const std::string& branch = "main") const;

 private:
  TempDir dir_;
  std::optional<Process> daemon_;
};

fs::path gitdir_of(const fs::path& slot);  // <source>/worktrees/<id>, as the slot's .git file says
fs::path marker_of(const fs::path& slot);  // the marker's file, there or not
std::map<std::string, std::string> flat_yaml(const std::string& text);
std::vector<std::string> yaml_lines(const std::string& text);  // without comments
std::vector<std::string> keys_of(const json& object);          // sorted

}  // namespace wtpool::test
