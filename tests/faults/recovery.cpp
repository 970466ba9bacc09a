#include "tests/faults/recovery.hpp"

#include <algorithm>
#include <sstream>

#include "tests/support/wire.hpp"

namespace wtpool::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What the daemon is killed in, by slot: of every eight, one is being acquired, one released and one made; the others are held.
enum class Kind { held, acquiring, releasing, fresh };
Kind kind_of(int slot) {
  switch (slot % 8) {
    case 5:
      return Kind::acquiring;
    case 6:
      return Kind::releasing;
    case 7:
      return Kind::fresh;
    default:
      return Kind::held;
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no '" + from + "' in: " + text);
  return text.replace(at, from.size(), to);
}

struct Times {
  std::vector<milliseconds> known, settled;
};

std::string summary(std::vector<milliseconds> times) {
  std::ranges::sort(times);
  std::ostringstream text;
  text << "median " << times[times.size() / 2].count() << " ms (" << times.front().count() << " to " << times.back().count()
       << ")";
  return text.str();
}

class Pool {
 public:
  explicit Pool(const Task& task) : slots_(task.slots), repo_(world_.make_repo()), before_(Before::of(repo_)) {
    world_.start_daemon();
    world_.init(repo_, {"--max-slots", std::to_string(slots_)});
  }

  Report run(int kills) {
    for (int kill = 0; kill < kills && broken_.empty(); ++kill) one_kill("k" + std::to_string(kill) + "-");
    for (const auto& what : violations(observed())) broken_.push_back(what);
    if (times_.settled.empty()) return {"no kill was survived", broken_};
    std::ostringstream line;
    line << times_.settled.size() << " kills with " << slots_ << " slots (" << count(Kind::held) << " held, "
         << count(Kind::acquiring) << " acquiring, " << count(Kind::releasing) << " releasing, " << count(Kind::fresh)
         << " being made): every slot known after " << summary(times_.known) << ", every one at rest after "
         << summary(times_.settled) << "; " << broken_.size() << " violations";
    return {line.str(), broken_};
  }

 private:
  [[nodiscard]] Observed observed() const { return {world_, repo_, before_, ledger_}; }
  [[nodiscard]] int count(Kind kind) const {
    int count = 0;
    for (int slot = 0; slot < slots_; ++slot) count += kind_of(slot) == kind;
    return count;
  }
  [[nodiscard]] static std::string id_of(int slot) { return "slot-" + std::to_string(slot); }

  // Every slot but those to be made is held; a lease of a round before stays as it is.
  void fill(const std::string& round) {
    Wire wire(world_.socket());
    wire.call("hello", {{"protocol", 1}, {"client", "recovery/1"}});
    const int wanted = slots_ - count(Kind::fresh);
    for (int number = 0; static_cast<int>(held_.size()) < wanted; ++number) {
      const auto name = round + std::to_string(number);
      ledger_.asked(name);
      const auto answer = wire.call("slot.acquire", {{"pool", "app"}, {"name", name}, {"wait_ms", 0}});
      if (!answer.contains("result")) throw std::runtime_error("acquire " + name + ": " + answer.dump());
      ledger_.acknowledged(name, answer["result"]);
      held_[answer["result"]["slot"]] = name;
    }
  }

  // The disk as a kill at each of these steps leaves it; which slots are being made is for the pool to say.
  void leave_half_done() {
    std::vector<std::string> unmade;
    for (int slot = 0; slot < slots_; ++slot) {
      if (!held_.contains(id_of(slot))) unmade.push_back(id_of(slot));
    }
    std::string pattern;
    int turn = 0;
    for (auto at = held_.begin(); at != held_.end();) {
      const auto kind = kind_of(turn++ % 7);
      const auto marker = marker_of(world_.root() / "app" / at->first);
      pattern = read_text(marker);
      if (kind == Kind::held) {
        ++at;
        continue;
      }
      ledger_.leaving(at->second);
      write_text(marker, kind == Kind::acquiring ? replaced(pattern, "state: held", "state: acquiring")
                                                 : replaced(replaced(pattern, "state: held", "state: releasing"), "# end",
                                                            "on_dirty: save\n# end"));
      over_.push_back(at->second);
      at = held_.erase(at);
    }
    for (const auto& slot : unmade) {
      auto text = replaced(pattern, "# wtpool marker", "# wtpool intent");
      text = replaced(text, "state: held", "state: acquiring");
      text = replaced(text, "# end", "directory_existed: false\nentries: " + entries() + "\n# end");
      write_text(world_.root() / "app/.meta/init" / (slot + ".intent"), text);
    }
  }
  [[nodiscard]] std::string entries() const {
    std::string names;
    for (const auto& entry : fs::directory_iterator(repo_.common_dir() / "worktrees")) {
      names += (names.empty() ? "" : ", ") + entry.path().filename().string();
    }
    return "[" + names + "]";
  }

  void one_kill(const std::string& round) {
    fill(round);
    world_.kill_daemon();
    leave_half_done();
    const auto start = steady_clock::now();
    world_.start_daemon();
    Wire wire(world_.socket());
    const auto since = [&] { return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start); };
    bool known = false;
    const bool settled = wait_until(
        [&] {
          const auto slots = wire.call("slot.list", {{"pool", "app"}})["result"];
          if (!known && knows_the_held(slots)) {
            known = true;
            times_.known.push_back(since());
          }
          return known && std::ranges::none_of(slots, [](const json& slot) {
                   return slot["state"] == "acquiring" || slot["state"] == "recycling";
                 });
        },
        std::chrono::seconds(120));
    if (!settled) return broken_.push_back("3: slots do not come to rest after a kill: " + world_.wtpool({"ls"}).out);
    times_.settled.push_back(since());
    for (const auto& name : over_) ledger_.left(name);
    over_.clear();
    for (const auto& what : violations_in_daemon(observed(), ledger_.stories())) broken_.push_back(what);
  }
  // All slots are listed, those that are held by the lease they are held by, and no other is.
  [[nodiscard]] bool knows_the_held(const json& slots) const {
    if (!slots.is_array() || static_cast<int>(slots.size()) != slots_) return false;
    return std::ranges::all_of(slots, [&](const json& slot) {
      const auto lease = held_.find(slot["slot"].get<std::string>());
      return (slot["state"] == "held") == (lease != held_.end()) && (lease == held_.end() || slot["name"] == lease->second);
    });
  }

  int slots_;
  World world_;
  Repo repo_;
  Before before_;
  Ledger ledger_;
  std::map<std::string, std::string> held_;  // slot → name
  std::vector<std::string> over_;
  Times times_;
  Violations broken_;
};

}  // namespace

Report recovery(const Task& task) { return Pool(task).run(task.amount); }

}  // namespace wtpool::test
