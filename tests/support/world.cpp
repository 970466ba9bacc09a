#include "tests/support/world.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "common/platform/peer.hpp"

namespace wtpool::test {

World::World() {
  for (const auto* name : {"home", "config", "state", "data", "run", "pools"}) fs::create_directories(dir() / name);
  fs::permissions(dir() / "run", fs::perms::owner_all);
  environment = {{"PATH", git_environment().at("PATH")},
                 {"HOME", home().string()},
                 {"USER", "tester"},
                 {"LANG", "C.UTF-8"},
                 {"XDG_CONFIG_HOME", (dir() / "config").string()},
                 {"XDG_STATE_HOME", (dir() / "state").string()},
                 {"XDG_DATA_HOME", (dir() / "data").string()},
                 {"XDG_RUNTIME_DIR", (dir() / "run").string()},
                 {"WORKTREE_ROOT", root().string()},
                 {"WTPOOL_SOCKET", socket().string()},
                 {"WTPOOL_NO_SPAWN", "1"}};
  for (const auto* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = ::getenv(name)) environment[name] = value;
  }
}

World::~World() {
  if (daemon_ && ::testing::Test::HasFailure()) {
    std::cerr << "--- the daemon's stderr\n" << daemon_->err_so_far() << "--- its log\n" << read_text(state() / "wtpoold.log");
  }
  daemon_.reset();
  // A daemon that a client started is nobody's child here.
  if (const auto pid = pid_in_instance_lock()) {
    const auto command = read_text("/proc/" + std::to_string(*pid) + "/environ");
    if (command.find(dir().string()) != std::string::npos) {
      ::kill(*pid, SIGKILL);
      wait_until([pid] { return ::kill(*pid, 0) != 0; }, 5s);
    }
  }
}

Process World::start_wtpoold(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), std::string(WTPOOL_BIN_DIR) + "/wtpoold");
  arguments.insert(arguments.begin(), daemon_prefix.begin(), daemon_prefix.end());
  return Process({.argv = arguments, .environment = environment, .directory = dir()});
}

void World::launch_daemon() {
  daemon_.reset();
  daemon_.emplace(start_wtpoold());
  wait_until([this] { return answers() || !daemon_->running(); }, 30s);
}

void World::start_daemon() {
  launch_daemon();
  if (!answers() || !daemon_->running()) ADD_FAILURE() << "wtpoold did not come up:\n" << daemon_->err_so_far();
}

void World::stop_daemon() {
  daemon_->signal(SIGTERM);
  const auto outcome = daemon_->wait(30s);
  EXPECT_EQ(outcome.code, 0) << outcome;
  daemon_.reset();
}

void World::kill_daemon() {
  daemon_->signal(SIGKILL);
  EXPECT_EQ(daemon_->wait(10s).code, 128 + SIGKILL);
  daemon_.reset();
}

bool World::answers() const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = socket().string();
  if (name.size() >= sizeof address.sun_path) return false;
  std::copy(name.begin(), name.end(), address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  // A daemon that was just killed may have left its socket to a child that has not come to its exec.
  const auto listener = connected ? platform::peer_of(fd) : std::nullopt;
  ::close(fd);
  return listener && !platform::is_gone(*listener);
}

std::optional<pid_t> World::pid_in_instance_lock() const {
  const auto fields = flat_yaml(read_text(state() / "instance.lock"));
  const auto pid = fields.find("pid");
  if (pid == fields.end()) return std::nullopt;
  return static_cast<pid_t>(std::strtol(pid->second.c_str(), nullptr, 10));
}

Outcome World::wtpool(std::vector<std::string> arguments, const Options& options) const {
  arguments.insert(arguments.begin(), std::string(WTPOOL_BIN_DIR) + "/wtpool");
  auto variables = environment;
  for (const auto& [key, value] : options.environment) variables[key] = value;
  return run({.argv = arguments,
              .environment = variables,
              .directory = options.directory.empty() ? dir() : options.directory,
              .deadline = options.deadline});
}

Process World::start_wtpool(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), std::string(WTPOOL_BIN_DIR) + "/wtpool");
  return Process({.argv = arguments, .environment = environment, .directory = dir()});
}

json World::json_of(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "--json");
  const auto outcome = wtpool(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1) << outcome;
  auto value = json::parse(outcome.out, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << outcome;
  return value.is_discarded() ? json() : value;
}

void World::init(const Repo& source, std::vector<std::string> more) const {
  std::vector<std::string> arguments = {"init", "--source", source.path().string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto outcome = wtpool(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome;
}

fs::path World::acquire(const std::string& name, std::vector<std::string> more) const {
  std::vector<std::string> arguments = {"acquire", name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto outcome = wtpool(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(lines_of(outcome.out).size(), 1u) << outcome;
  return trimmed(outcome.out);
}

void World::release(const std::string& name, std::vector<std::string> more) const {
  std::vector<std::string> arguments = {"release", name, "--wait"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto outcome = wtpool(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
}

json World::slot(const std::string& id) const {
  for (const auto& element : json_of({"ls"})) {
    if (element.value("slot", "") == id) return element;
  }
  ADD_FAILURE() << "ls shows no " << id;
  return json::object();
}

std::string World::state_of(const std::string& id) const { return slot(id).value("state", ""); }

bool World::wait_for_state(const std::string& id, const std::string& state) const {
  return wait_until([&] { return state_of(id) == state; });
}

Repo World::make_repo(const std::string& name, const std::string& branch) const { return Repo::make(dir() / name, branch); }

fs::path gitdir_of(const fs::path& slot) {
  const auto text = trimmed(read_text(slot / ".git"));
  return text.starts_with("gitdir: ") ? text.substr(8) : std::string();
}

fs::path marker_of(const fs::path& slot) { return gitdir_of(slot) / "worktree-pool/lock"; }

std::map<std::string, std::string> flat_yaml(const std::string& text) {
  std::map<std::string, std::string> fields;
  for (const auto& line : lines_of(text)) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos || line.starts_with("#")) continue;
    auto value = trimmed(line.substr(colon + 2));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    fields[line.substr(0, colon)] = value;
  }
  return fields;
}

std::vector<std::string> yaml_lines(const std::string& text) {
  auto lines = lines_of(text);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("#"); });
  return lines;
}

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace wtpool::test
