#include "daemon/app/doctor/host_checks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/open_files.hpp"
#include "daemon/app/doctor/repair_without_daemon.hpp"
#include "daemon/app/doctor/store_checks.hpp"
#include "daemon/app/host_config.hpp"
#include "daemon/disk/locks.hpp"
#include "daemon/git/files/gitmodules.hpp"
#include "daemon/git/source/source.hpp"
#include "daemon/jobs/slot/pool_config.hpp"
#include "proto/codec/codec.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::app {
namespace {

class Report {
 public:
  void add(const std::string& name, const std::string& status, const std::string& detail,
           std::optional<std::string> hint = {}) {
    if (status == "error") result_.ok = false;
    result_.checks.push_back({name, status, detail, std::move(hint)});
  }
  // What nothing else has explained yet.
  void add_unless_told(const std::vector<proto::DoctorCheck>& checks) {
    for (const auto& check : checks) {
      const bool told = std::ranges::any_of(
          result_.checks, [&](const auto& each) { return each.name == check.name && each.status == "error"; });
      if (!told) add(check.name, check.status, check.detail, check.hint);
    }
  }
  [[nodiscard]] proto::DoctorResult take() { return std::move(result_); }

 private:
  proto::DoctorResult result_;
};

void check_git(Report& report) {
  const auto version = git::git_version();
  if (!version) return report.add("git", "error", "git cannot be run", "apt-get install git");
  const std::string text =
      std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
  const bool old = version->major < 2 || (version->major == 2 && version->minor < 36);
  if (old) return report.add("git", "error", "git " + text + " is too old; 2.36 or newer is needed");
  report.add("git", "ok", "git " + text);
}

std::optional<proto::Error> fault_of_host_config(const CheckFacts& facts) {
  try {
    (void)read_host_config(facts.paths);
    return std::nullopt;
  } catch (const proto::Error& error) {
    return error;
  }
}

void check_host_config(Report& report, const CheckFacts& facts) {
  const auto fault = fault_of_host_config(facts);
  if (!fault) return;
  report.add("config", "error",
             fault->message + (facts.from_daemon ? "; the daemon goes on with what it read before, and would not start again"
                                                 : "; no daemon starts with it, and the other checks are by the defaults"),
             jobs::how_to_correct(facts.paths.host_config));
}

void check_socket(Report& report, const CheckFacts& facts) {
  try {
    check_socket_path(facts.socket);
  } catch (const proto::Error& error) {
    return report.add("socket", "error", error.message, error.hint);
  }
  const auto directory = facts.socket.parent_path();
  const auto stat = lstat_of(directory);
  if (!stat) {
    report.add("socket", facts.from_daemon ? "error" : "ok", directory.string() + " is not there yet");
  } else if (!S_ISDIR(stat->st_mode) || stat->st_uid != ::geteuid() || (stat->st_mode & 077) != 0) {
    report.add("socket", "error", directory.string() + " must be a directory of yours alone, with mode 0700",
               directory.filename().string().ends_with("wtpool")
                   ? std::optional("chmod 700 " + proto::shell_word(directory.string()))
                   : std::nullopt);
  } else {
    report.add("socket", "ok", facts.socket.string());
  }
}

void check_daemon(Report& report, const CheckFacts& facts) {
  const auto running = running_instance(facts.paths.instance_lock);
  if (running) {
    report.add("daemon", "ok", "wtpoold " + running->version + " runs as process " + std::to_string(running->pid));
  } else {
    report.add("daemon", "warn", "no daemon runs; the next command starts one", "wtpool daemon start");
  }
}

void check_root(Report& report, const CheckFacts& facts) {
  if (!is_directory_no_follow(real_path(facts.root)))
    return report.add("root", "ok", facts.root.string() + " is not there yet");
  const auto free = free_bytes(facts.root);
  constexpr std::uint64_t kLittle = 1024ULL * 1024 * 1024;
  const std::string room = free ? std::to_string(*free >> 20) + " MiB free" : "free space unknown";
  report.add("root", free && *free < kLittle ? "warn" : "ok", facts.root.string() + ", " + room);
}

bool is_asked_for(const CheckFacts& facts, const std::filesystem::path& pool) {
  return !facts.pool || *facts.pool == pool.filename().string();
}

// What `init` or a daemon made, but for kept work, which outlives its pool.
std::vector<std::filesystem::path> pools_without_config(const CheckFacts& facts) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(facts.root, error), end; !error && at != end; at.increment(error)) {
    const auto meta = at->path() / ".meta";
    struct ::stat stat {};
    if (!is_asked_for(facts, at->path()) || ::lstat(meta.c_str(), &stat) != 0 || !S_ISDIR(stat.st_mode)) continue;
    if (::lstat((meta / "config.yaml").c_str(), &stat) == 0 || errno != ENOENT) continue;
    const auto parts = children_of(meta);
    if (std::ranges::all_of(parts, [](const auto& part) { return part.filename() == "trash"; })) continue;
    found.push_back(at->path());
  }
  return found;
}

void check_lost_configs(Report& report, const CheckFacts& facts) {
  for (const auto& pool : pools_without_config(facts)) {
    const std::string key = pool.filename().string();
    report.add("pool " + key, "error", (pool / ".meta/config.yaml").string() + " is not there: the pool cannot be served",
               "wtpool init --pool " + proto::shell_word(key) + " --source REPO");
  }
}

int say_no_such_pool(const CheckFacts& facts) {
  std::fprintf(stderr, "wtpool: cannot look at pool %s: there is none below %s\n", printable(*facts.pool).c_str(),
               facts.root.c_str());
  return 1;
}

// The daemon writes its pid into the locks of its pools; who else has one may write nothing.
bool serves(const CheckFacts& facts, const jobs::ServedPool& pool) {
  const auto running = running_instance(facts.paths.instance_lock);
  const std::string text = disk::FileLock::text_of(pool.files.pool_lock());
  return running && text.starts_with("pid: " + std::to_string(running->pid) + "\n");
}

void check_pool(Report& report, const CheckFacts& facts, const std::string& key, const std::filesystem::path& directory) {
  const std::string name = "pool " + key;
  try {
    const auto pool = view(key, directory);
    const auto groups = std::max<std::size_t>(pool->config.groups.size(), 1);
    const auto slots = groups * static_cast<std::size_t>(pool->config.max_slots);
    report.add(name, "ok",
               "source " + pool->config.source + ", " + std::to_string(slots) + " slots; " + jobs::how_slots_are_made(*pool));
    const auto is_served = served(*pool);
    if (is_served == jobs::Served::yes && !serves(facts, *pool)) {
      report.add(name, "error", "another process than your daemon holds " + pool->files.pool_lock().string(),
                 "wtpool unstick --pool " + proto::shell_word(key));
    }
    for (const auto& finding : jobs::examine(*pool, is_served)) {
      const std::string hint = finding.remedy.empty() ? finding.hint : "wtpool doctor --repair";
      report.add(name, finding.weight == jobs::Finding::Weight::error ? "error" : "warn", finding.what,
                 hint.empty() ? std::nullopt : std::optional(hint));
    }
  } catch (const proto::Error& error) {
    report.add(name, "error", error.message, error.hint.empty() ? std::nullopt : std::optional(error.hint));
  }
}

// Made already or not: one that the config has room for is known.
bool is_slot_of(const std::string& key, const std::filesystem::path& directory, const SlotId& slot) {
  const auto parts = disk::parse_slot_id(slot.str());
  if (!parts) return false;
  const disk::PoolFiles files(real_path(directory));
  if (lstat_of(files.slot(slot)) || lstat_of(files.slot_lock(slot))) return true;
  try {
    const auto config = view(key, directory)->config;
    const bool in_group =
        parts->group ? std::ranges::find(config.groups, *parts->group) != config.groups.end() : config.groups.empty();
    return in_group && parts->number < config.max_slots;
  } catch (const proto::Error&) {
    return false;
  }
}

void print_lock(const std::filesystem::path& file, const std::string& what, bool& any) {
  if (!disk::FileLock::is_held(file)) return;
  any = true;
  // Who has the file open has the lock, also where he inherited it; the number in the file may be that of one who has ended.
  std::string who;
  for (const auto pid : git::openers_of(file).value_or(std::vector<std::int64_t>{})) {
    if (pid == ::getpid()) continue;
    who += (who.empty() ? "process " : ", ") + std::to_string(pid);
  }
  std::printf("%-28s held, by %s  (%s)\n", what.c_str(), who.empty() ? "nobody who can be told" : printable(who).c_str(),
              file.c_str());
}

}  // namespace

std::vector<std::filesystem::path> pools_of(const CheckFacts& facts) {
  std::vector<std::filesystem::path> pools;
  std::error_code error;
  for (std::filesystem::directory_iterator at(facts.root, error), end; !error && at != end; at.increment(error)) {
    // What cannot be looked into is no pool of ours: the lost+found of a disk, say.
    struct ::stat config {};
    if (::lstat((at->path() / ".meta" / "config.yaml").c_str(), &config) == 0 && is_asked_for(facts, at->path()))
      pools.push_back(at->path());
  }
  std::sort(pools.begin(), pools.end());
  return pools;
}

std::shared_ptr<const jobs::ServedPool> view(const std::string& key, const std::filesystem::path& directory) {
  return jobs::view_pool(PoolKey(key), disk::PoolFiles(real_path(directory)));
}

jobs::Served served(const jobs::ServedPool& pool) {
  return disk::FileLock::is_held(pool.files.pool_lock()) ? jobs::Served::yes : jobs::Served::no;
}

std::optional<std::string> lost_lease(const HeldSlot& held) {
  if (lstat_of(held.marker)) return std::nullopt;
  return held.slot + " is held by '" + printable(held.name) + "', and its worktree was taken away: " + held.marker.string() +
         " is not there; no daemon that is started anew knows of the lease";
}

namespace {

void check_the_store(Report& report, const CheckFacts& facts) {
  disk::HostConfig config;
  if (!fault_of_host_config(facts)) config = read_host_config(facts.paths);
  const std::filesystem::path store = config.store.value_or((facts.root / ".store").string());
  try {
    for (const auto& check : check_store(store, facts.root, config.store_max))
      report.add(check.name, check.status, check.detail, check.hint);
  } catch (const proto::Error& error) {
    report.add("store", "error", error.message);
  }
}

}  // namespace

proto::DoctorResult run_doctor(const CheckFacts& facts) {
  Report report;
  check_git(report);
  check_host_config(report, facts);
  check_daemon(report, facts);
  check_socket(report, facts);
  check_root(report, facts);
  for (const auto& pool : pools_of(facts)) check_pool(report, facts, pool.filename().string(), pool);
  check_lost_configs(report, facts);
  for (const auto& held : facts.held) {
    if (const auto lost = lost_lease(held))
      report.add("pool " + held.pool, "error", *lost,
                 "wtpool release " + proto::shell_word(held.name) + " --pool " + proto::shell_word(held.pool));
  }
  check_the_store(report, facts);
  report.add_unless_told(facts.away);
  return report.take();
}

int print_doctor(const CheckFacts& facts, bool json, bool repair) {
  const bool somewhere_else = fault_of_host_config(facts).has_value();  // and where is what is asked
  if (facts.pool && !somewhere_else && pools_of(facts).empty() && pools_without_config(facts).empty())
    return say_no_such_pool(facts);
  std::vector<proto::DoctorCheck> did;
  if (repair && fault_of_host_config(facts)) {
    did.push_back({"repair", "warn", "nothing is repaired: the host's config says where the pools are", std::nullopt});
  } else if (repair) {
    for (const auto& line : plan_repair(facts)) std::fprintf(stderr, "wtpool: %s\n", printable(line).c_str());
    did = repair_here(facts);
  }
  auto result = run_doctor(facts);
  result.checks.insert(result.checks.end(), did.begin(), did.end());
  if (json) {
    std::printf("%s\n", proto::to_json_text(result).c_str());
  } else {
    int width = 5;
    for (const auto& check : result.checks) width = std::max(width, static_cast<int>(check.name.size()));
    std::printf("%-*s  STATUS  DETAIL\n", width, "CHECK");
    for (const auto& check : result.checks) {
      std::printf("%-*s  %-6s  %s\n", width, printable(check.name).c_str(), check.status.c_str(),
                  printable(check.detail).c_str());
    }
    std::set<std::string> said;
    for (const auto& check : result.checks) {
      if (check.hint && said.insert(*check.hint).second) std::printf("hint: %s\n", printable(*check.hint).c_str());
    }
  }
  return result.ok ? 0 : 1;
}

int print_locks(const CheckFacts& facts, const Options& options) {
  bool any = false;
  bool known = false;
  const auto pools = pools_of(facts);
  if (facts.pool && pools.empty()) return say_no_such_pool(facts);
  if (!options.slot) print_lock(facts.paths.instance_lock, "instance", any);
  for (const auto& directory : pools) {
    const std::string key = directory.filename().string();
    const disk::PoolFiles files(real_path(directory));
    if (!options.slot) print_lock(files.pool_lock(), "pool " + key, any);
    if (options.slot) known = known || is_slot_of(key, directory, SlotId(*options.slot));
    std::error_code ignored;
    for (const auto& item : std::filesystem::directory_iterator(files.init_dir(), ignored)) {
      if (item.path().extension() != ".lock") continue;
      const std::string slot = item.path().stem().string();
      if (options.slot && *options.slot != slot) continue;
      print_lock(item.path(), "slot " + key + "/" + slot, any);
    }
  }
  if (options.slot && !known) {
    const std::string where = facts.pool ? "pool " + *facts.pool + " has" : "the pools below " + facts.root.string() + " have";
    std::fprintf(stderr, "wtpool: cannot look at the lock of %s: %s no such slot\nhint: wtpool ls\n",
                 printable(*options.slot).c_str(), where.c_str());
    return 1;
  }
  if (!any) std::printf("no lock is held\n");
  return 0;
}

std::filesystem::path validated(const CheckFacts& facts) {
  if (!facts.pool) return std::filesystem::current_path();
  const auto pools = pools_of(facts);
  if (pools.empty()) return std::filesystem::current_path();
  const auto pool = view(*facts.pool, pools.front());
  return pool->place.worktree ? std::filesystem::path(*pool->place.worktree) : std::filesystem::path(pool->source.common_dir);
}

int validate_gitmodules(const std::filesystem::path& cwd, bool json) {
  std::filesystem::path file = cwd / ".gitmodules";
  for (auto at = cwd; !lstat_of(file) && at.has_parent_path() && at != at.parent_path(); at = at.parent_path()) {
    file = at.parent_path() / ".gitmodules";
  }
  proto::DoctorResult result;
  if (!lstat_of(file)) {
    if (json) std::printf("%s\n", proto::to_json_text(result).c_str());
    std::fprintf(stderr, "wtpool: there is no .gitmodules in %s or above: nothing to check\n", cwd.c_str());
    return 0;
  }
  const git::Git git({{}, {}}, git::Context{});
  git::Command list;
  list.arguments = {"config", "-z", "--file", file.string(), "--list"};
  for (const std::string& key : git::misspelt_pool_keys(git::config_entries(git.must(list)))) {
    result.ok = false;
    result.checks.push_back({key, "error", "no such key; did you mean worktreePoolTag?", std::nullopt});
  }
  if (json) {
    std::printf("%s\n", proto::to_json_text(result).c_str());
  } else {
    for (const auto& check : result.checks) std::printf("%s: %s: %s\n", file.c_str(), check.name.c_str(), check.detail.c_str());
    if (result.ok) std::printf("%s: all worktreePool keys are known\n", file.c_str());
  }
  return result.ok ? 0 : 1;
}

}  // namespace wtpool::app
