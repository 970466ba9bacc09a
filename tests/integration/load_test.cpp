// Many clients on few slots, and a daemon that is killed in the middle. A few seconds; WTPOOL_LOAD_SECONDS makes it longer.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <iostream>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

constexpr int kClients = 32;
constexpr int kSlots = 8;

// What the clients saw, told by each of them at the moment it knows.
class Ledger {
 public:
  void acquired(const std::string& path, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto [at, fresh] = holders_.emplace(path, name);
    if (!fresh) broken_.push_back(path + " was given to " + name + " while " + at->second + " had it");
    ++acquired_;
  }
  void releasing(const std::string& path) {
    const std::lock_guard lock(mutex_);
    holders_.erase(path);
  }
  void committed(const std::string& id) {
    const std::lock_guard lock(mutex_);
    commits_.insert(id);
  }
  void broke(const std::string& what) {
    const std::lock_guard lock(mutex_);
    broken_.push_back(what);
  }
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }
  [[nodiscard]] const std::set<std::string>& commits() const { return commits_; }
  [[nodiscard]] int count() const { return acquired_; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> holders_;
  std::set<std::string> commits_;
  std::vector<std::string> broken_;
  int acquired_ = 0;
};

class Client {
 public:
  Client(const World& world, Ledger& ledger, int number) : world_(world), ledger_(ledger), number_(number) {
    random_.seed(static_cast<unsigned>(number));
  }
  void work_until(const std::atomic<bool>& over) {
    for (int turn = 0; !over; ++turn) one_lease("c" + std::to_string(number_) + "-" + std::to_string(turn), over);
  }

 private:
  void one_lease(const std::string& name, const std::atomic<bool>& over) {
    std::string path;
    // The same key however often it is asked, so that an answer lost with the daemon is found again.
    while (path.empty()) {
      const auto outcome = world_.wtpool({"acquire", name, "--key", name});
      if (outcome.code == 0) path = trimmed(outcome.out);
      if (outcome.code == 5 || outcome.code == 10 || outcome.code == 2 || outcome.code == -1) {
        return ledger_.broke("acquire " + name + " ended with " + std::to_string(outcome.code) + ": " + outcome.err);
      }
      if (path.empty() && over && outcome.code != 7) {
        // Nobody waits for it any more. Should it be held all the same, it is given back.
        return give_back(name);
      }
    }
    ledger_.acquired(path, name);
    if (random_() % 4 == 0) ledger_.committed(Repo(path).commit("work-" + name + ".txt", name));
    if (random_() % 4 == 1) write_text(fs::path(path) / "README.md", "dirt of " + name);
    if (trimmed(try_git(path, {"symbolic-ref", "HEAD"}).out) != "refs/heads/" + name)
      ledger_.broke(path + " is not on " + name);
    ledger_.releasing(path);
    give_back(name);
  }
  void give_back(const std::string& name) {
    Outcome outcome;
    const bool done = wait_until(
        [&] {
          outcome = world_.wtpool({"release", name});
          return outcome.code == 0;
        },
        60s);
    if (!done) ledger_.broke("release " + name + " ended with " + std::to_string(outcome.code) + ": " + outcome.err);
  }
  const World& world_;
  Ledger& ledger_;
  int number_;
  std::minstd_rand random_;
};

TEST(Load, ThirtyTwoClientsAndADaemonKilledInTheMiddle) {
  const char* asked = ::getenv("WTPOOL_LOAD_SECONDS");
  const std::chrono::seconds length(asked ? std::max(2, std::atoi(asked)) : 5);
  World world;
  const auto repo = Repo::make_large(world.dir() / "app", 300, 20);
  world.start_daemon();
  world.init(repo, {"--max-slots", std::to_string(kSlots)});

  Ledger ledger;
  std::atomic<bool> over{false};
  std::vector<std::thread> clients;
  for (int number = 0; number < kClients; ++number) {
    clients.emplace_back([&, number] { Client(world, ledger, number).work_until(over); });
  }
  std::this_thread::sleep_for(length / 2);
  world.kill_daemon();
  world.start_daemon();
  std::this_thread::sleep_for(length - length / 2);
  over = true;
  for (auto& client : clients) client.join();

  for (const auto& what : ledger.broken()) ADD_FAILURE() << what;
  EXPECT_TRUE(wait_until(
      [&] {
        for (const auto& slot : world.json_of({"ls"})) {
          if (slot["state"] != "idle" && slot["state"] != "fresh") return false;
        }
        return true;
      },
      60s))
      << world.wtpool({"ls"});
  EXPECT_EQ(world.json_of({"ls"}).size(), static_cast<std::size_t>(kSlots));
  EXPECT_EQ(repo.git({"for-each-ref", "--format=%(refname)", "refs/heads"}), "refs/heads/main");
  EXPECT_EQ(repo.complaint(), "");
  const auto kept = lines_of(repo.git({"rev-list", "--all"}));
  const std::set<std::string> reachable(kept.begin(), kept.end());
  for (const auto& commit : ledger.commits()) EXPECT_TRUE(reachable.contains(commit)) << commit << " is lost";
  EXPECT_GT(ledger.count(), kSlots);
  std::cout << ledger.count() << " leases, " << ledger.commits().size() << " commits, in " << length.count() << " s\n";
}

}  // namespace
}  // namespace wtpool::test
