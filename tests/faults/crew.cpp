#include "tests/faults/crew.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

namespace wtpool::test {
namespace {

// A file a slot that its holder locks: the kernel knows whether two are in one, whatever the daemon thinks.
class Presence {
 public:
  explicit Presence(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    alone_ = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  ~Presence() { ::close(fd_); }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  [[nodiscard]] bool alone() const { return alone_; }

 private:
  int fd_ = -1;
  bool alone_ = false;
};

constexpr auto kPatience = 90s;  // for one thing to be done, over as many daemons as it takes

std::string kind_of(const json& answer) {
  if (!answer.contains("error")) return {};
  const auto& error = answer["error"];
  return error.contains("data") ? error["data"].value("kind", std::string()) : std::string();
}

}  // namespace

class Crew::Client {
 public:
  Client(Crew& crew, int number) : crew_(crew), number_(number), random_(crew.seed_ + static_cast<unsigned>(number) * 7919) {}

  void work() {
    for (int turn = 0; !crew_.over_; ++turn) {
      const auto ours = crew_.next_turn();
      if (!kept_.empty()) give_back(std::exchange(kept_, {}));
      name_ = "c" + std::to_string(number_) + "-" + std::to_string(turn);
      switch (below(10)) {
        case 0:
          run();
          break;
        case 1:
          be_killed();
          break;
        case 2:
        case 3:
          of_a_connection();
          break;
        case 4:
        case 5:
          of_a_process();
          break;
        default:
          durable(below(2) == 0);
      }
    }
    if (!kept_.empty() && below(2) == 0) give_back(std::exchange(kept_, {}));
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  void broke(const std::string& what) { crew_.broke(what + " (client " + name_ + ")"); }

  // A connection to whatever daemon serves next; none when nobody does in time.
  std::unique_ptr<Wire> connect() {
    std::unique_ptr<Wire> wire;
    wait_until(
        [&] {
          try {
            wire = std::make_unique<Wire>(crew_.world_.socket());
          } catch (const std::runtime_error&) {
          }
          return wire != nullptr;
        },
        kPatience);
    return wire;
  }

  // The answer to one request, asked again of the next daemon where one died. `wire` is the connection it came over.
  json ask(const std::string& method, const json& params, std::unique_ptr<Wire>& wire) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (bool first = true; std::chrono::steady_clock::now() < end; first = false) {
      if (!first) ++crew_.figures_.asked_again;
      if (!wire) wire = connect();
      if (!wire) break;
      auto answer = wire->call(method, params);
      if (!answer.is_discarded() && kind_of(answer) != "shutting_down" && kind_of(answer) != "pool_unavailable") return answer;
      wire.reset();
      std::this_thread::sleep_for(5ms);
    }
    return json::object();
  }
  json ask(const std::string& method, const json& params) {
    std::unique_ptr<Wire> wire;
    return ask(method, params, wire);
  }

  json acquire_params() {
    return {{"pool", "app"},
            {"name", name_},
            {"key", "key-" + name_},
            {"commit", crew_.commits_[static_cast<std::size_t>(below(static_cast<int>(crew_.commits_.size())))]},
            {"wait_ms", 3000}};
  }

  // Null when it was refused, as a full pool may do.
  json acquire(const json& params, std::unique_ptr<Wire>& wire) {
    crew_.ledger_.asked(name_, params.value("key", ""));
    json answer;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      answer = ask("slot.acquire", params, wire);
      if (kind_of(answer) == "name_held") {  // by a lease of its own that is just being ended
        std::this_thread::sleep_for(5ms);
        if (std::chrono::steady_clock::now() < end) continue;
      }
      if (!params.contains("confirm") || !answer.contains("result")) break;
      // Where the connection is gone before the confirmation is there, the lease is asked for again by its key.
      const auto confirmed = wire->call("slot.confirm", {{"lease_id", answer["result"]["lease_id"]}});
      if (confirmed.contains("result")) break;
      wire.reset();
    }
    if (answer.contains("result")) {
      crew_.ledger_.acknowledged(name_, answer["result"]);
      ++crew_.figures_.acquired;
      return answer["result"];
    }
    const auto kind = kind_of(answer);
    if (kind != "timed_out" && kind != "at_capacity" && kind != "contended" && kind != "quarantined")
      broke("3: acquire was answered with " + answer.dump());
    crew_.ledger_.refused(name_);
    ++crew_.figures_.refused;
    return nullptr;
  }

  std::string content() { return "content " + std::to_string(++contents_) + " of " + name_ + ", and of nobody else\n"; }

  // What a holder does in his slot.
  void work_in(const fs::path& slot) {
    const Presence presence(crew_.world_.dir() / ("in-" + slot.filename().string()));
    if (!presence.alone()) return broke("1: somebody else is in " + slot.string());
    if (below(10) == 0) write_in(slot, "untracked-" + name_ + ".txt");
    if (below(3) == 0) {
      write_in(slot, "made-" + name_ + ".txt");
      const auto made = try_git(slot, {"add", "--", "made-" + name_ + ".txt"});
      if (made.code == 0 && below(2) == 0) commit(slot);
    }
    if (below(3) == 0) write_in(slot, "README.md");
  }
  void write_in(const fs::path& slot, const std::string& file) {
    const auto text = content();
    write_text(slot / file, text);
    crew_.ledger_.wrote(name_, file, text);
    ++crew_.figures_.files;
  }
  void commit(const fs::path& slot) {
    const auto outcome = try_git(slot, {"commit", "-q", "-m", "by " + name_});
    if (outcome.code != 0) return broke("7: a commit in a held slot fails: " + outcome.err);
    crew_.ledger_.committed(name_, git(slot, {"rev-parse", "HEAD"}));
    crew_.ledger_.saved(name_, "made-" + name_ + ".txt");
    ++crew_.figures_.commits;
  }

  void give_back(const std::string& name) {
    json params = {{"pool", "app"}, {"name", name}, {"wait", below(2) == 0}};
    if (below(8) == 0) {
      crew_.ledger_.discards(name);
      params["dirty"] = "discard";
    }
    crew_.ledger_.leaving(name);
    auto answer = ask("slot.release", params);
    // The client that was killed in its acquire: the daemon may not have taken that back yet, or not have seen it go.
    for (const auto end = std::chrono::steady_clock::now() + kPatience;
         kind_of(answer) == "contended" && std::chrono::steady_clock::now() < end;) {
      std::this_thread::sleep_for(5ms);
      answer = ask("slot.release", params);
    }
    if (!answer.contains("result")) return broke("3: release of " + name + " was answered with " + answer.dump());
    crew_.ledger_.left(name);
    ++crew_.figures_.released;
  }

  void durable(bool confirms) {
    auto params = acquire_params();
    if (confirms) params["confirm"] = true;
    if (below(4) == 0) params["ttl_seconds"] = 3600;
    std::unique_ptr<Wire> wire;
    const auto lease = acquire(params, wire);
    wire.reset();
    if (lease.is_null()) return;
    work_in(lease["path"].get<std::string>());
    if (below(5) == 0)
      kept_ = name_;
    else
      give_back(name_);
  }

  void of_a_process() {
    Process owner({.argv = {"sleep", "600"}, .environment = git_environment()});
    auto params = acquire_params();
    params["lease_kind"] = "process";
    params["owner_pid"] = owner.pid();
    std::unique_ptr<Wire> wire;
    const auto lease = acquire(params, wire);
    if (lease.is_null()) return;
    work_in(lease["path"].get<std::string>());
    crew_.ledger_.leaving(name_);
    owner.signal(SIGKILL);
    (void)owner.wait();
    give_back(name_);  // or the daemon saw it first
  }

  void of_a_connection() {
    auto params = acquire_params();
    params["lease_kind"] = "connection";
    std::unique_ptr<Wire> wire;
    const auto lease = acquire(params, wire);
    if (lease.is_null()) return;
    work_in(lease["path"].get<std::string>());
    // Whoever serves now is told who holds it.
    const auto resumed = ask("slot.resume", {{"lease_id", lease["lease_id"]}}, wire);
    if (resumed.contains("result"))
      ++crew_.figures_.resumed;
    else
      broke("3: a connection lease was not resumed: " + resumed.dump());
    crew_.ledger_.leaving(name_);
    wire.reset();
    give_back(name_);
  }

  void run() {
    crew_.ledger_.asked(name_);
    const auto in = (crew_.world_.dir() / "in-").string();
    auto client =
        crew_.world_.start_wtpool({"--pool", "app", "run", name_, "--wait=3s", "--", "sh", "-c",
                                   "exec flock -n -E 99 \"" + in + "$WTPOOL_SLOT\" sleep 0.0" + std::to_string(1 + below(9))});
    const bool killed = below(3) == 0;
    if (killed) wait_until([] { return false; }, std::chrono::milliseconds(below(60)));
    crew_.ledger_.leaving(name_);
    if (killed) client.signal(SIGKILL);
    const auto outcome = client.wait(kPatience);
    ++crew_.figures_.runs;
    if (outcome.code == 99) broke("1: `run` found somebody in its slot");
    if (!killed && outcome.code != 0 && outcome.code != 125)
      broke("3: `run` ended with " + std::to_string(outcome.code) + ": " + outcome.err);
    give_back(name_);
  }

  // A client that dies at any moment of an acquire; somebody else finds its lease by the key, or gets one.
  void be_killed() {
    crew_.ledger_.asked(name_, "key-" + name_);
    auto client = crew_.world_.start_wtpool({"--pool", "app", "acquire", name_, "--key", "key-" + name_, "--wait=3s"});
    wait_until([&] { return !client.running(); }, std::chrono::milliseconds(below(80)));
    client.signal(SIGKILL);
    (void)client.wait();
    ++crew_.figures_.killed;
    std::unique_ptr<Wire> wire;
    const auto lease = acquire({{"pool", "app"}, {"name", name_}, {"key", "key-" + name_}, {"wait_ms", 3000}}, wire);
    if (lease.is_null()) return;
    work_in(lease["path"].get<std::string>());
    give_back(name_);
  }

  Crew& crew_;
  int number_;
  std::minstd_rand random_;
  std::string name_;
  std::string kept_;  // NAME of the lease that is held from turn to turn
  int contents_ = 0;
};

Crew::Crew(const World& world, Ledger& ledger, std::vector<std::string> commits, unsigned seed)
    : world_(world), ledger_(ledger), commits_(std::move(commits)), seed_(seed) {}

Crew::~Crew() { stop(); }

void Crew::start(int clients) {
  for (int number = 0; number < clients; ++number) threads_.emplace_back([this, number] { Client(*this, number).work(); });
}

void Crew::stop() {
  over_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

// A lock that readers share prefers them: whoever wants it alone has them wait at the door.
std::shared_lock<std::shared_mutex> Crew::next_turn() {
  const std::lock_guard door(door_);
  return std::shared_lock(turn_);
}

std::unique_lock<std::shared_mutex> Crew::pause() {
  const std::lock_guard door(door_);
  return std::unique_lock(turn_);
}

std::string Crew::told() const {
  const auto& f = figures_;
  return std::to_string(f.acquired) + " acquires, " + std::to_string(f.released) + " releases, " + std::to_string(f.runs) +
         " runs, " + std::to_string(f.resumed) + " connection leases resumed, " + std::to_string(f.killed) +
         " clients killed, " + std::to_string(f.commits) + " commits, " + std::to_string(f.files) + " files, " +
         std::to_string(f.asked_again) + " requests asked again, " + std::to_string(f.refused) + " refused";
}

Violations Crew::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void Crew::broke(const std::string& what) {
  const std::lock_guard lock(mutex_);
  broken_.push_back(what);
}

}  // namespace wtpool::test
