// Times whole commands, interleaved, and prints medians: ours, a pool without a daemon (peer.sh, less its shell's cost), bare
// git.
//
//   wtpool_bench --repo "$(tests/bench/fixtures small)" [--rounds 25] [--json FILE]
//
// Every round does each thing once, so that a noisy machine is noisy to all of them.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/world.hpp"

extern char** environ;

namespace wtpool::test {
namespace {

using Clock = std::chrono::steady_clock;

double now_ms() { return std::chrono::duration<double, std::milli>(Clock::now().time_since_epoch()).count(); }

// Starts and waits without polling: the time is the command's own.
pid_t start(const std::vector<std::string>& argv, const Environment& environment, const std::string& output = "/dev/null") {
  std::vector<char*> arguments;
  for (const auto& each : argv) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> pairs;
  for (const auto& [key, value] : environment) pairs.push_back(key + "=" + value);
  std::vector<char*> variables;
  for (auto& each : pairs) variables.push_back(each.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  if (posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), variables.data()) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

double timed(const std::vector<std::string>& argv, const Environment& environment) {
  const double begin = now_ms();
  const pid_t pid = start(argv, environment);
  int status = -1;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
    std::fprintf(stderr, "failed: %s %s\n", argv[0].c_str(), argv.size() > 1 ? argv[1].c_str() : "");
    std::exit(1);
  }
  return now_ms() - begin;
}

class Figures {
 public:
  void add(const std::string& name, double ms) { all_[name].push_back(ms); }
  [[nodiscard]] double quantile(const std::string& name, double part) const {
    auto values = all_.at(name);
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
  }
  void print() const {
    std::printf("%-34s %10s %10s %6s\n", "", "median ms", "p95 ms", "n");
    for (const auto& [name, values] : all_) {
      std::printf("%-34s %10.2f %10.2f %6zu\n", name.c_str(), quantile(name, 0.5), quantile(name, 0.95), values.size());
    }
  }
  [[nodiscard]] json as_json() const {
    json out;
    for (const auto& [name, values] : all_)
      out[name] = {{"median", quantile(name, 0.5)}, {"p95", quantile(name, 0.95)}, {"n", values.size()}};
    return out;
  }

 private:
  std::map<std::string, std::vector<double>> all_;
};

class Bench {
 public:
  Bench(fs::path repo, int rounds) : repo_(std::move(repo)), rounds_(rounds) {
    world_.environment["PATH"] = std::getenv("PATH");
    quiet_git_ = world_.dir() / "bin";
    fs::create_directories(quiet_git_);
    write_text(quiet_git_ / "git", "#!/bin/sh\n[ \"$1\" = push ] && exit 1\necho 0000000000000000000000000000000000000000\n");
    fs::permissions(quiet_git_ / "git", fs::perms::owner_all);
  }

  void run(Figures& figures) {
    const Repo source(repo_);
    world_.start_daemon();
    world_.init(source, {"--max-slots", "2"});
    pool_ = world_.json_of({"pools"}).at(0).at("pool").get<std::string>();
    const std::string head = source.head();
    const std::string older = source.git({"rev-parse", "HEAD~1"});
    const fs::path slot = world_.acquire("first");
    world_.release("first");
    const fs::path peer = world_.dir() / "peer" / "slot-0";
    fs::create_directories(peer.parent_path());
    source.git({"worktree", "add", "-q", "--detach", peer.string(), head});
    for (int round = 0; round < rounds_; ++round) {
      const std::string name = "b" + std::to_string(round);
      figures.add("acquire, same commit: wtpool", timed({client(), "acquire", name}, world_.environment));
      figures.add("path: wtpool", timed({client(), "path", name}, world_.environment));
      figures.add("ls: wtpool", timed({client(), "ls", "--json"}, world_.environment));
      figures.add("release: wtpool", timed({client(), "release", name}, world_.environment));
      settle(slot);
      figures.add("acquire, 1 commit away: wtpool",
                  timed({client(), "acquire", name, "--commit", round % 2 == 0 ? older : head}, world_.environment));
      world_.release(name);
      timed({client(), "acquire", name, "--commit", head}, world_.environment);
      world_.release(name);
      peer_round(figures, peer, name, head);
      figures.add("git status: git", timed({"git", "-C", slot.string(), "status", "--porcelain"}, world_.environment));
      hand_over(figures, slot, name);
    }
    source.git({"worktree", "remove", "--force", peer.string()});
    for (const char* id : {"slot-0", "slot-1"}) (void)world_.wtpool({"remove", id});
    (void)world_.wtpool({"remove", "--pool", pool_});
  }

 private:
  [[nodiscard]] std::string client() const { return std::string(WTPOOL_BIN_DIR) + "/wtpool"; }
  void settle(const fs::path& slot) const { world_.wait_for_state(slot.filename().string(), "idle"); }

  void peer_round(Figures& figures, const fs::path& peer, const std::string& name, const std::string& head) {
    const std::string script = std::string(WTPOOL_SOURCE_DIR) + "/tests/bench/peer.sh";
    auto nothing = world_.environment;
    nothing["PATH"] = quiet_git_.string() + ":" + nothing["PATH"];
    const double start_cost = timed({(quiet_git_ / "git").string()}, world_.environment);
    const double shell_acquire = timed({script, "acquire", repo_.string(), peer.string(), "p-" + name, head}, nothing);
    const double acquire = timed({script, "acquire", repo_.string(), peer.string(), "p-" + name, head}, world_.environment);
    const double release = timed({script, "release", repo_.string(), peer.string(), "p-" + name}, world_.environment);
    figures.add("acquire, same commit: peer", std::max(0.0, acquire - std::max(0.0, shell_acquire - 4 * start_cost)));
    figures.add("release: peer", release);
  }

  // From the start of `release` to the first instruction of the waiting client's command.
  void hand_over(Figures& figures, const fs::path& slot, const std::string& name) {
    // Both slots are held, one of them by us; the waiter gets the one that is released.
    timed({client(), "acquire", name + "-x"}, world_.environment);
    timed({client(), "acquire", name + "-y"}, world_.environment);
    const fs::path stamp = world_.dir() / "stamp";
    fs::remove(stamp);
    const pid_t waiter =
        start({client(), "run", name + "-w", "--wait=60s", "--", "/bin/date", "+%s%N"}, world_.environment, stamp.string());
    wait_until([&] { return world_.json_of({"status"}).at("queue") == 1; });
    const auto begin = std::chrono::system_clock::now();
    timed({client(), "release", name + "-x"}, world_.environment);
    int status = -1;
    ::waitpid(waiter, &status, 0);
    const std::string text = trimmed(read_text(stamp));
    if (!text.empty()) {
      const auto began = std::chrono::duration<double, std::milli>(begin.time_since_epoch()).count();
      figures.add("release to waiter's command: wtpool", std::stod(text) / 1e6 - began);
    }
    world_.release(name + "-y");
    settle(slot);
  }

  World world_;
  fs::path repo_;
  fs::path quiet_git_;
  std::string pool_;
  int rounds_;
};

}  // namespace
}  // namespace wtpool::test

int main(int argc, char** argv) {
  std::string repo;
  std::string file;
  int rounds = 25;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--repo") repo = argv[i + 1];
    if (option == "--rounds") rounds = std::atoi(argv[i + 1]);
    if (option == "--json") file = argv[i + 1];
  }
  if (repo.empty() || rounds < 1) {
    std::fprintf(stderr, "usage: wtpool_bench --repo DIR [--rounds N] [--json FILE]\n");
    return 2;
  }
  wtpool::test::Figures figures;
  {
    wtpool::test::Bench bench(repo, rounds);
    bench.run(figures);
  }
  figures.print();
  const double extra = figures.quantile("release to waiter's command: wtpool", 0.5) - figures.quantile("git status: git", 0.5);
  std::printf("\nrelease to waiter's command takes %.1f ms more than git status of the slot\n", extra);
  std::printf("acquire at the same commit: %.1f times faster than without a daemon; release: %.1f times\n",
              figures.quantile("acquire, same commit: peer", 0.5) / figures.quantile("acquire, same commit: wtpool", 0.5),
              figures.quantile("release: peer", 0.5) / figures.quantile("release: wtpool", 0.5));
  if (!file.empty()) wtpool::test::write_text(file, figures.as_json().dump(2) + "\n");
  return 0;
}
