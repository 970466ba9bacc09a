#include "tests/faults/clients.hpp"

#include <random>
#include <sstream>
#include <thread>

#include "tests/faults/accounted.hpp"
#include "tests/support/events.hpp"

namespace wtpool::test {
namespace {

constexpr int kSlots = 8;
constexpr int kLookingOn = 2;
constexpr int kDaemonsLimit = 1024;

class Client {
 public:
  Client(const World& world, Ledger& ledger, Books& books, std::string name, unsigned seed)
      : world_(world), ledger_(ledger), books_(books), name_(std::move(name)), random_(seed) {}

  void work_until(const std::atomic<bool>& over) {
    for (int turn = 0; !over; ++turn) {
      const auto name = name_ + "-" + std::to_string(turn);
      AccountedWire wire(world_.socket(), books_);
      if (!wire.greeted()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      switch (below(10)) {
        case 0:
        case 1:
        case 2:
          hold(wire, name);
          break;
        case 3:
          wait_a_little(wire, name);
          break;
        case 4:
        case 5:
          change_its_mind(wire, name);
          break;
        case 6:
          half_close(wire, name);
          break;
        case 7:
          vanish(wire, name);
          break;
        case 8:
          watch(wire);
          break;
        default:
          look(wire);
      }
    }
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  void idle(int most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds(below(most_ms))); }

  int acquire(AccountedWire& wire, const std::string& name, json params) {
    params.update({{"pool", "app"}, {"name", name}});
    ledger_.asked(name);
    return wire.ask("slot.acquire", params);
  }
  void give_back(AccountedWire& wire, const std::string& name, const json& lease) {
    ledger_.acknowledged(name, lease);
    ++books_.acquires;
    if (below(3) == 0) idle(30);
    ledger_.leaving(name);
    const auto answer =
        wire.answer(wire.ask("slot.release", {{"pool", "app"}, {"name", name}, {"lease_id", lease["lease_id"]}}));
    if (answer.contains("result")) return ledger_.left(name);
    books_.broke("3: release of " + name + " was answered with " + answer.dump());
  }
  // The lease, or null after an error, which must be one of `kinds`.
  json lease_of(AccountedWire& wire, int id, const std::string& name, const std::set<std::string>& kinds) {
    const auto answer = wire.answer(id);
    if (answer.contains("result")) return answer["result"];
    ledger_.refused(name);
    const auto kind = answer.is_object() ? answer["error"]["data"].value("kind", "") : std::string();
    if (!kinds.contains(kind)) books_.broke("8: acquire of " + name + " was answered with " + answer.dump());
    return nullptr;
  }

  void hold(AccountedWire& wire, const std::string& name) {
    const bool confirm = below(2) == 0;
    const auto lease = lease_of(
        wire,
        acquire(wire, name, {{"wait_ms", 0}, {"confirm", confirm}, {"lease_kind", below(2) == 0 ? "connection" : "durable"}}),
        name, {});
    if (lease.is_null()) return;
    books_.survived(name);
    if (confirm) {
      const auto answer = wire.answer(wire.ask("slot.confirm", {{"lease_id", lease["lease_id"]}}));
      if (!answer.contains("result")) books_.broke("3: confirm of " + name + " was answered with " + answer.dump());
    }
    give_back(wire, name, lease);
    wire.settle();
  }
  void wait_a_little(AccountedWire& wire, const std::string& name) {
    const auto lease = lease_of(wire, acquire(wire, name, {{"wait_ms", 1 + below(300)}}), name, {"timed_out"});
    if (lease.is_null()) {
      ++books_.timed_out;
    } else {
      give_back(wire, name, lease);
    }
    wire.settle();
  }
  void change_its_mind(AccountedWire& wire, const std::string& name) {
    const int id = acquire(wire, name, {{"wait_ms", 0}});
    idle(40);
    wire.cancel(id);
    if (below(2) == 0) wire.cancel(id);
    const auto lease = lease_of(wire, id, name, {"cancelled"});
    if (lease.is_null()) {
      ++books_.cancelled;
    } else {
      give_back(wire, name, lease);
    }
    wire.settle();
  }
  void half_close(AccountedWire& wire, const std::string& name) {
    const int list = wire.ask("slot.list", {{"pool", "app"}});
    const int path = wire.ask("slot.path", {{"pool", "app"}, {"name", "nobody"}});
    const bool acquires = below(2) == 0;
    const int id = acquires ? acquire(wire, name, {{"wait_ms", 0}, {"lease_kind", "connection"}}) : 0;
    wire.half_close();
    ++books_.half_closed;
    if (!wire.answer(list).contains("result")) books_.broke("8: a half-closed connection got no list");
    if (!wire.answer(path).contains("error")) books_.broke("8: a path of what is not held");
    if (!acquires) return wire.expect_end();
    const auto lease = lease_of(wire, id, name, {});
    if (lease.is_null()) return;
    books_.survived(name);
    ledger_.acknowledged(name, lease);
    ++books_.acquires;
    ledger_.killed(name);  // its end is the connection's
  }
  void vanish(AccountedWire& wire, const std::string& name) {
    ledger_.asked(name);
    ledger_.killed(name);
    (void)acquire(wire, name, {{"wait_ms", 0}, {"confirm", true}, {"lease_kind", below(2) == 0 ? "connection" : "durable"}});
    (void)wire.ask("slot.list", {{"pool", "app"}});
    idle(60);
    ++books_.killed;
  }
  void watch(AccountedWire& wire) {
    const int id = wire.ask("events.subscribe", {{"pool", "app"}});
    if (!wire.answer(id).contains("result")) books_.broke("8: a subscription was refused");
    ++books_.watched;
    for (int look = below(4); look > 0; --look) {
      idle(50);
      (void)wire.answer(wire.ask("ping"));
    }
    if (below(2) == 0) wire.settle();
  }
  void look(AccountedWire& wire) {
    static const std::vector<std::pair<std::string, json>> questions = {
        {"ping", json::object()},           {"slot.list", {{"pool", "app"}}},
        {"host.status", json::object()},    {"pool.list", json::object()},
        {"no.such.method", json::object()}, {"slot.path", {{"pool", "app"}, {"name", "nobody"}}}};
    for (int i = 0; i < 30; ++i) {
      const auto& [method, params] = questions[static_cast<std::size_t>(below(static_cast<int>(questions.size())))];
      (void)wire.ask(method, params);
    }
    wire.settle();
  }

  const World& world_;
  Ledger& ledger_;
  Books& books_;
  std::string name_;
  std::minstd_rand random_;
};

class Crowd {
 public:
  explicit Crowd(const Task& task) : task_(task), repo_(world_.make_repo()), before_(Before::of(repo_)) {
    fs::create_directory(reports());
    for (const auto* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
      auto& options = world_.environment[name];
      options += (options.empty() ? "" : ":") + std::string("log_path=") + (reports() / "report").string();
    }
    world_.start_daemon();
    world_.init(repo_, {"--max-slots", std::to_string(kSlots)});
    asker_.emplace(world_.socket());
    events_.emplace(world_.socket());
  }

  Report run() {
    load("w", std::chrono::seconds(1));  // every slot is made, and every thread and buffer that one needs
    const auto figures_before = settled();
    load("c", std::chrono::seconds(task_.amount));
    const auto figures_after = settled();
    compare("descriptors", figures_before.descriptors, figures_after.descriptors);
    compare("threads", figures_before.threads, figures_after.threads);

    const auto queue = judge_queue(events_->all(), books_.survivors);
    for (const auto& what : queue.broken) books_.broke("9: " + what);
    if (queue.served == 0) books_.broke("9: nobody had to wait: there were too few clients");
    if (events_->dropped() != 0) books_.broke("9: a listener that reads lost events");
    if (books_.requests != books_.answers + books_.given_up) books_.broke("8: the books do not balance");
    if (books_.turned_away > 0 && task_.clients < kDaemonsLimit) books_.broke("8: a client was turned away");
    for (const auto& what : violations({world_, repo_, before_, ledger_})) books_.broke(what);
    events_.reset();
    asker_.reset();
    world_.stop_daemon();
    for (const auto& report : fs::directory_iterator(reports())) books_.broke("a sanitizer says:\n" + read_text(report.path()));

    std::ostringstream line;
    line << task_.clients << " clients for " << task_.amount << " s: " << books_.connections << " connections ("
         << books_.turned_away << " turned away), " << books_.requests << " requests, " << books_.answers << " answers, "
         << books_.given_up << " given up by a close; " << books_.acquires << " leases, " << queue.served
         << " from the queue in order, " << books_.timed_out << " timed out, " << books_.cancelled << " cancelled, "
         << books_.half_closed << " half-closed, " << books_.killed << " vanished, " << books_.watched
         << " watched; descriptors " << figures_before.descriptors << " -> " << figures_after.descriptors << ", threads "
         << figures_before.threads << " -> " << figures_after.threads << "; " << books_.broken.size() << " violations";
    return {line.str(), books_.broken};
  }

 private:
  [[nodiscard]] fs::path reports() const { return world_.dir() / "reports"; }
  void load(const std::string& round, std::chrono::seconds lasts) {
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int number = 0; number < task_.clients - kLookingOn; ++number) {
      threads.emplace_back([&, number] {
        try {
          Client(world_, ledger_, books_, round + std::to_string(number), task_.seed + static_cast<unsigned>(number))
              .work_until(over);
        } catch (const std::exception& error) {
          books_.broke("8: client " + std::to_string(number) + ": " + error.what());
        }
      });
    }
    std::this_thread::sleep_for(lasts);
    over = true;
    for (auto& thread : threads) thread.join();
  }
  json asked(const std::string& method, const json& params = json::object()) {
    const auto answer = asker_->call(method, params);
    if (answer.is_object() && answer.contains("result")) return answer["result"];
    throw std::runtime_error(method + " of one who looks on was answered with '" + answer.dump() + "'; the daemon " +
                             (world_.daemon().running() ? "runs" : "is gone") + "\n" + world_.daemon().err_so_far() +
                             read_text(world_.state() / "wtpoold.log").substr(0, 4000));
  }
  // Nobody is left but those who look on, nothing is under way, and three looks in a row agree.
  Figures settled() {
    Figures figures;
    int same = 0;
    const bool quiet = wait_until(
        [&] {
          const auto status = asked("host.status");
          const auto slots = asked("slot.list", {{"pool", "app"}});
          const bool still = status["clients"] == kLookingOn && status["queue"] == 0 &&
                             std::ranges::all_of(slots, [](const json& slot) { return slot["state"] == "idle"; });
          const auto now = figures_of(world_.daemon().pid());
          same = still && now.descriptors == figures.descriptors && now.threads == figures.threads ? same + 1 : 0;
          figures = now;
          return same == 10;
        },
        std::chrono::minutes(5));
    if (!quiet) books_.broke("10: the daemon does not come to rest: " + asked("host.status").dump());
    return figures;
  }
  void compare(const std::string& what, int before, int after) {
    if (before != after) books_.broke("10: " + std::to_string(before) + " " + what + " became " + std::to_string(after));
  }

  Task task_;
  World world_;
  Repo repo_;
  Before before_;
  Ledger ledger_;
  Books books_;
  std::optional<Wire> asker_;
  std::optional<Events> events_;
};

}  // namespace

Report clients_at_once(const Task& task) { return Crowd(task).run(); }

}  // namespace wtpool::test
