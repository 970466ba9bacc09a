#include "tests/bench/timing.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <stdexcept>

namespace wtpool::bench {
namespace {

std::string words(const Argv& argv) {
  std::string text;
  for (const auto& word : argv) text += (text.empty() ? "" : " ") + word;
  return text;
}

volatile ::sig_atomic_t told_to_end = 0;

void check(const Argv& argv, int status) {
  if (told_to_end != 0) give_up("ended by a signal");
  if (status != 0) give_up(words(argv) + ": failed with wait status " + std::to_string(status));
}

}  // namespace

void give_up(const std::string& why) { throw std::runtime_error(why); }

void end_at_signals() {
  struct ::sigaction action {};
  action.sa_handler = [](int) { told_to_end = 1; };
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

pid_t start(const Argv& argv, const Environment& environment, const std::string& output) {
  std::vector<char*> arguments;
  for (const auto& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> pairs;
  for (const auto& [key, value] : environment) pairs.push_back(key + "=" + value);
  std::vector<char*> variables;
  for (auto& pair : pairs) variables.push_back(pair.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) give_up(words(argv) + ": cannot be started");
  return pid;
}

double timed(const Argv& argv, const Environment& environment, bool may_fail) {
  const double begin = now_ms();
  const pid_t pid = start(argv, environment);
  int status = -1;
  ::waitpid(pid, &status, 0);
  const double took = now_ms() - begin;
  if (!may_fail || told_to_end != 0) check(argv, status);
  return took;
}

AtOnce timed_at_once(const std::vector<Argv>& commands, const Environment& environment) {
  AtOnce result;
  std::vector<pid_t> pids;
  const double begin = now_ms();
  for (const auto& command : commands) pids.push_back(start(command, environment));
  std::string failed;
  for (std::size_t left = pids.size(); left > 0;) {
    int status = -1;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended < 0) give_up("ended by a signal");
    const double took = now_ms() - begin;
    for (std::size_t i = 0; i < pids.size(); ++i) {
      if (pids[i] != ended) continue;
      result.each_ms.push_back(took);
      if (status != 0) failed = words(commands[i]) + ": failed with wait status " + std::to_string(status);
      --left;
    }
  }
  if (!failed.empty()) give_up(failed);
  result.all_ms = now_ms() - begin;
  return result;
}

}  // namespace wtpool::bench
