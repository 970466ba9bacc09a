#include "tests/bench/ground.hpp"

#include <cstdlib>
#include <sstream>

namespace wtpool::bench {
namespace {

constexpr auto kSealLimit = std::chrono::seconds(60);  // it tries again after 30 s
constexpr auto kSettleLimit = std::chrono::minutes(2);

bool all_idle(const test::json& slots) {
  for (const auto& slot : slots) {
    const auto state = slot.at("state").get<std::string>();
    if (state == "quarantined") give_up("a slot was quarantined: " + slot.dump());
    if (state != "idle" && state != "fresh") return false;
  }
  return true;
}

bool all_sealed(const test::json& slots) {
  for (const auto& slot : slots) {
    if (slot.at("state") == "idle" && slot.at("sealed") != true) return false;
  }
  return true;
}

}  // namespace

Ground::Ground(const fs::path& fixture, const fs::path& where) : where_(where), source_(where / "source.git") {
  fs::create_directories(where);
  test::git(where, {"clone", "-q", "--bare", "--no-tags", fixture.string(), source_.string()});
  test::git(source_, {"remote", "remove", "origin"});
  world_.environment["PATH"] = std::getenv("PATH");
  world_.environment["WORKTREE_ROOT"] = (where / "pools").string();
  fs::create_directories(where / "pools");
  configure();
  world_.start_daemon();
}

std::string Ground::commit(int back) const { return test::git(source_, {"rev-parse", "main~" + std::to_string(back)}); }

void Ground::make_pool(const std::string& key, int slots) const {
  run(key, {"init", "--source", source_.string(), "--max-slots", std::to_string(slots), "--default-commit", "refs/heads/main"});
}

Argv Ground::ours(const std::string& pool, Argv verb) {
  verb.insert(verb.begin(), {std::string(WTPOOL_BIN_DIR) + "/wtpool", "--pool", pool});
  return verb;
}

test::json Ground::report(const std::string& pool, Argv verb) const {
  verb.insert(verb.begin(), {"--pool", pool});
  return world_.json_of(std::move(verb));
}

void Ground::wait_for_queue(int waiting) const {
  if (!test::wait_until([&] { return world_.json_of({"status"}).at("queue") == waiting; })) give_up("nobody queued in time");
}

bool Ground::settle(const std::string& pool) {
  if (!test::wait_until([&] { return all_idle(report(pool, {"ls"})); }, kSettleLimit)) give_up("the slots did not become idle");
  if (!seals()) return true;
  const bool sealed = test::wait_until([&] { return all_sealed(report(pool, {"ls"})); }, kSealLimit);
  if (!sealed) ++unsealed_;
  return sealed;
}

std::set<std::string> Ground::sealed(const std::string& pool) const {
  std::set<std::string> slots;
  for (const auto& slot : report(pool, {"ls"})) {
    if (slot.at("sealed") == true) slots.insert(slot.at("slot"));
  }
  return slots;
}

std::set<std::string> Ground::held(const std::string& pool) const {
  std::set<std::string> slots;
  for (const auto& slot : report(pool, {"ls"})) {
    if (slot.at("state") == "held") slots.insert(slot.at("slot"));
  }
  return slots;
}

long Ground::gits_ended() {
  // After the name, which may have blanks in it: the state is field 3, the page faults of children that were waited for 11.
  const std::string stat = test::read_text("/proc/" + std::to_string(daemon()) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string field;
  for (int number = 3; number <= 11; ++number) fields >> field;
  return std::stol(field);
}

bool Ground::unseal(const std::string& pool, const fs::path& slot) const {
  test::write_text(slot / "wtpool-bench", "");
  fs::remove(slot / "wtpool-bench");
  return !all_sealed(report(pool, {"ls"}));
}

// Idle slots stay where they are, so that a commit is as far from them as a scene says, and no work goes on beside a rival's.
void Ground::configure(const std::string& more) const {
  const fs::path config = world_.environment.at("XDG_CONFIG_HOME");
  test::write_text(config / "wtpool/wtpoold.yaml", "follow_tip: false\n" + more);
}

void Ground::restart_with_log() {
  configure("log_level: debug\n");
  world_.stop_daemon();
  world_.start_daemon();
}

double Ground::add_worktree(const fs::path& at) const {
  fs::create_directories(at.parent_path());
  return timed({"git", "-C", source_.string(), "worktree", "add", "-q", "--detach", at.string(), commit(0)}, environment());
}

}  // namespace wtpool::bench
