// Many clients wait for few slots, and a third of them is killed at the worst moments. WTPOOL_STRESS_SECONDS makes it long (and
// five times as many clients), WTPOOL_STRESS_SEED the same again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/support/events.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

constexpr int kSlots = 8;

struct Tally {
  std::atomic<int> runs{0}, acquires{0};
  std::atomic<int> killed{0}, killed_waiting{0}, killed_acquiring{0}, killed_holding{0};
  std::mutex mutex;
  std::set<std::string> survivors;
  std::vector<std::string> broken;

  void survived(const std::string& name) {
    const std::lock_guard lock(mutex);
    survivors.insert(name);
  }
  void broke(const std::string& what) {
    const std::lock_guard lock(mutex);
    broken.push_back(what);
  }
};

// A file a slot that its holder locks: the kernel knows whether two are in one, whatever the daemon thinks.
class Occupancy {
 public:
  explicit Occupancy(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    alone_ = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  ~Occupancy() { ::close(fd_); }
  Occupancy(const Occupancy&) = delete;
  Occupancy& operator=(const Occupancy&) = delete;
  [[nodiscard]] bool alone() const { return alone_; }

 private:
  int fd_ = -1;
  bool alone_ = false;
};

class Client {
 public:
  Client(const World& world, const Events& events, Tally& tally, std::string name, unsigned seed)
      : world_(world), events_(events), tally_(tally), name_(std::move(name)), random_(seed) {}
  void work_until(const std::atomic<bool>& over) {
    for (int turn = 0; !over; ++turn) {
      const auto name = name_ + "-" + std::to_string(turn);
      const bool runs = below(2) == 0;
      if (below(3) == 0) {
        be_killed(name, runs);
      } else if (runs) {
        run(name);
      } else {
        acquire(name);
      }
    }
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  [[nodiscard]] Process start(const std::string& name, bool runs, const std::string& length) const {
    if (!runs) return world_.start_wtpool({"acquire", name, "--wait"});
    // 99 when somebody else is in the slot, also when that is only what a killed `run` left behind.
    return world_.start_wtpool(
        {"run", name, "--wait", "--", "sh", "-c", "exec flock -n -E 99 \"$T/in-$WTPOOL_SLOT\" sleep " + length});
  }
  void run(const std::string& name) {
    const auto outcome = start(name, true, below(2) == 0 ? "0" : "0.02").wait(180s);
    if (outcome.code != 0) return broke("run", name, outcome);
    ++tally_.runs;
    tally_.survived(name);
  }
  void acquire(const std::string& name) {
    const auto outcome = start(name, false, "").wait(180s);
    if (outcome.code != 0) return broke("acquire", name, outcome);
    const fs::path slot = trimmed(outcome.out);
    {
      const Occupancy occupancy(world_.dir() / ("in-" + slot.filename().string()));
      if (!occupancy.alone()) tally_.broke(slot.string() + " was given to " + name + " with somebody in it");
      if (below(4) == 0) write_text(slot / "README.md", "dirt of " + name + "\n");
    }
    const auto released = world_.wtpool({"release", name});
    if (released.code != 0) return broke("release", name, released);
    ++tally_.acquires;
    tally_.survived(name);
  }
  void be_killed(const std::string& name, bool runs) {
    auto process = start(name, runs, "60");
    static const std::array<std::string, 3> moments = {"queued", "dequeued", "acquired"};
    const auto moment = static_cast<std::size_t>(below(4));
    // The moment may be one that does not come: nobody queues for a slot that is free, and an acquire ends by itself.
    if (moment < moments.size()) {
      wait_until([&] { return events_.saw(moments[moment], name) || events_.saw("acquired", name) || !process.running(); },
                 60s);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(below(moment < moments.size() ? 10 : 300)));
    process.signal(SIGKILL);
    const auto outcome = process.wait(60s);
    if (outcome.code == 128 + SIGKILL) {
      ++tally_.killed;
      ++(events_.saw("acquired", name)                                   ? tally_.killed_holding
         : events_.saw("queued", name) && !events_.saw("dequeued", name) ? tally_.killed_waiting
                                                                         : tally_.killed_acquiring);
    } else if (outcome.code != 0) {
      broke("the client to be killed,", name, outcome);
    }
    // A durable lease that was confirmed is held by nobody now; of one that was not, there may still be something to roll back.
    if (!runs) give_back(name);
  }
  void give_back(const std::string& name) {
    Outcome outcome;
    const bool done = wait_until(
        [&] {
          outcome = world_.wtpool({"release", name});
          return outcome.code == 0 && world_.wtpool({"path", name}).code == 1;
        },
        60s);
    if (!done) broke("release", name, outcome);
  }
  void broke(const std::string& what, const std::string& name, const Outcome& outcome) {
    tally_.broke(what + " " + name + " ended with " + std::to_string(outcome.code) + ": " + outcome.err);
  }
  const World& world_;
  const Events& events_;
  Tally& tally_;
  std::string name_;
  std::minstd_rand random_;
};

class Stress : public ::testing::Test {
 protected:
  void SetUp() override {
    world.environment["T"] = world.dir().string();
    world.start_daemon();
    world.init(repo, {"--max-slots", std::to_string(kSlots)});
  }
  // Every client ends what it began.
  void load(const std::string& round, std::chrono::milliseconds lasts) {
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int number = 0; number < clients; ++number) {
      threads.emplace_back([&, number] {
        Client(world, *events, tally, round + std::to_string(number), seed + static_cast<unsigned>(number)).work_until(over);
      });
    }
    std::this_thread::sleep_for(lasts);
    over = true;
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(quiet()) << world.wtpool({"ls"});
  }
  // All slots idle, nobody there but who asks and who listens.
  [[nodiscard]] bool quiet() {
    return wait_until(
        [this] {
          const auto slots = world.json_of({"ls"});
          const auto status = asker->call("host.status")["result"];
          return slots.size() == kSlots && status["clients"] == 2 && status["queue"] == 0 &&
                 std::ranges::all_of(slots, [](const json& slot) { return slot["state"] == "idle"; });
        },
        60s);
  }
  // Counted between answers to one who stays: no connection comes or goes meanwhile. The last git's pipes may take a moment to
  // be closed, so the count has to be the same many times in a row.
  [[nodiscard]] Figures settled() {
    Figures figures;
    int same = 0;
    EXPECT_TRUE(wait_until(
        [&] {
          const bool alone = asker->call("host.status")["result"]["clients"] == 2;
          const auto now = figures_of(world.daemon().pid());
          same = alone && now.descriptors == figures.descriptors ? same + 1 : 0;
          figures = now;
          return same == 10;
        },
        20s));
    return figures;
  }
  void check_order() const;
  void check_slots() const;

  World world;
  Repo repo = world.make_repo();
  std::optional<Events> events;
  std::optional<Wire> asker;
  Tally tally;
  const char* asked_seconds = ::getenv("WTPOOL_STRESS_SECONDS");
  const char* asked_seed = ::getenv("WTPOOL_STRESS_SEED");
  const std::chrono::seconds length{asked_seconds ? std::max(1, std::atoi(asked_seconds)) : 5};
  const int clients = asked_seconds ? 200 : 40;
  const unsigned seed = asked_seed ? static_cast<unsigned>(std::atoi(asked_seed)) : std::random_device{}() % 1'000'000;
};

void Stress::check_order() const {
  const auto queue = judge_queue(events->all(), tally.survivors);
  for (const auto& what : queue.broken) ADD_FAILURE() << what;
  EXPECT_EQ(events->dropped(), 0);
  EXPECT_GT(queue.served, kSlots) << "a stress that nobody queued in proves nothing";
}

void Stress::check_slots() const {
  std::map<std::string, std::string> holders;
  std::set<std::string> acquired;
  for (const auto& event : events->all()) {
    if (event.type == "acquired") {
      const auto [at, free] = holders.emplace(event.slot, event.name);
      EXPECT_TRUE(free) << event.slot << " was given to " << event.name << " while " << at->second << " had it";
      EXPECT_TRUE(acquired.insert(event.name).second) << event.name << " was acquired twice";
    } else if (event.type == "released" || event.type == "expired" || event.type == "rolled_back") {
      EXPECT_TRUE(holders.contains(event.slot) && holders.at(event.slot) == event.name) << event.slot << " " << event.name;
      holders.erase(event.slot);
    } else {
      EXPECT_NE(event.type, "quarantined") << event.slot;
    }
  }
  EXPECT_TRUE(holders.empty()) << holders.begin()->first << " is still held";
  for (const auto& name : tally.survivors) EXPECT_TRUE(acquired.contains(name)) << name;
}

TEST_F(Stress, AThirdOfTheClientsIsKilledAndTheOthersAreServedInTheirOrder) {
  events.emplace(world.socket());
  asker.emplace(world.socket());
  // A round to warm up: the allocator's pools, one for each thread, are filled, and every slot is there.
  load("warm", std::max<std::chrono::milliseconds>(length / 2, 12s));
  const auto before = settled();
  load("c", length);
  const auto after = settled();

  for (const auto& what : tally.broken) ADD_FAILURE() << what;
  check_order();
  check_slots();
  EXPECT_EQ(repo.git({"for-each-ref", "--format=%(refname)", "refs/heads"}), "refs/heads/main");
  EXPECT_EQ(repo.complaint(), "");
  EXPECT_EQ(after.descriptors, before.descriptors);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // A sanitizer keeps what is freed, in quarantine and in shadow memory: RSS then tells of it and not of the daemon.
  const std::string memory = "not judged under a sanitizer";
#else
  // Measured: 1.4 to 2.0 MiB after five seconds, and no more after fourteen with five times the clients.
  const auto allowed = std::max(before.resident_kib / 20, 3072L);
  EXPECT_LE(after.resident_kib, before.resident_kib + allowed);
  const std::string memory = "judged";
#endif
  std::cout << "seed " << seed << ": " << clients << " clients for " << length.count() << " s on " << kSlots << " slots; "
            << tally.runs << " runs, " << tally.acquires << " acquires; " << tally.killed << " killed (" << tally.killed_waiting
            << " waiting, " << tally.killed_acquiring << " acquiring, " << tally.killed_holding << " holding); descriptors "
            << before.descriptors << " -> " << after.descriptors << ", RSS " << before.resident_kib << " -> "
            << after.resident_kib << " KiB (" << memory << "); " << events->all().size() << " events\n";
}

}  // namespace
}  // namespace wtpool::test
