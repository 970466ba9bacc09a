#include "daemon/app/checks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "common/clock.hpp"
#include "common/files.hpp"
#include "daemon/disk/config.hpp"
#include "daemon/disk/locks.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/entries.hpp"
#include "daemon/git/gitmodules.hpp"
#include "daemon/git/shared_locks.hpp"
#include "daemon/git/source.hpp"
#include "proto/codec.hpp"

namespace wtpool::app {
namespace {

class Report {
 public:
  void add(const std::string& name, const std::string& status, const std::string& detail,
           std::optional<std::string> hint = {}) {
    if (status == "error") result_.ok = false;
    result_.checks.push_back({name, status, detail, std::move(hint)});
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
    report.add(
        "socket", "error", directory.string() + " must be a directory of yours alone, with mode 0700",
        directory.filename().string().ends_with("wtpool") ? std::optional("chmod 700 " + directory.string()) : std::nullopt);
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

void check_slots(Report& report, const std::string& key, const disk::PoolFiles& files, const git::SourceFacts& source) {
  std::error_code ignored;
  for (const auto& item : std::filesystem::directory_iterator(files.quarantine_dir(), ignored)) {
    const auto record = disk::read_quarantine(item.path());
    if (!record) continue;
    const std::string slot = item.path().stem().string();
    report.add("pool " + key, "error", slot + " is quarantined: " + record->reason, "wtpool repair " + slot + " --pool " + key);
  }
  for (const auto& entry : git::list_entries(source.common_dir)) {
    if (entry.state == core::SlotFacts::Entry::torn) {
      report.add("pool " + key, "error",
                 "worktree entry " + entry.git_id + " of " + source.common_dir + " is torn: " + entry.problem,
                 "wtpool ls --pool " + key);
    }
    if (entry.worktree.empty() || real_path(std::filesystem::path(entry.worktree).parent_path()) != files.root) continue;
    const SlotId slot(std::filesystem::path(entry.worktree).filename().string());
    if (const auto why = git::disproof_of_place(source.common_dir, entry.git_id, files.slot(slot))) {
      report.add("pool " + key, "error", slot.str() + " is not what its entry says: " + *why,
                 "wtpool repair " + slot.str() + " --pool " + key);
    }
    const auto marker = disk::MarkerFile(disk::EntryFiles(SourceId(source.common_dir), entry.git_id).marker()).read();
    if (marker && std::holds_alternative<std::string>(*marker)) {
      report.add("pool " + key, "error", "the marker of " + slot.str() + " cannot be read: " + std::get<std::string>(*marker),
                 "wtpool repair " + slot.str() + " --pool " + key);
    }
  }
  for (const auto& lock : git::shared_locks(source.common_dir)) {
    if (!lock.nobodys() || !lock.old_enough(wall_now())) continue;
    report.add("pool " + key, "warn", "a stale lock of shared refs stands at " + lock.file.string(),
               "rm " + lock.file.string());
  }
}

void check_pool(Report& report, const std::string& key, const std::filesystem::path& directory) {
  const disk::PoolFiles files(real_path(directory));
  try {
    const auto text = read_file(files.config());
    if (!text) return;
    const auto config = disk::parse_pool_config(*text, files.config());
    const auto source = git::open_source(config.source, git::Context{});
    report.add("pool " + key, "ok", "source " + config.source + ", " + std::to_string(config.max_slots) + " slots");
    check_slots(report, key, files, source);
  } catch (const proto::Error& error) {
    report.add("pool " + key, "error", error.message, error.hint.empty() ? std::nullopt : std::optional(error.hint));
  }
}

std::vector<std::filesystem::path> pools_below(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> pools;
  std::error_code error;
  for (std::filesystem::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (lstat_of(at->path() / ".meta" / "config.yaml")) pools.push_back(at->path());
  }
  std::sort(pools.begin(), pools.end());
  return pools;
}

void print_lock(const std::filesystem::path& file, const std::string& what, bool& any) {
  if (!disk::FileLock::is_held(file)) return;
  any = true;
  const std::string text = disk::FileLock::text_of(file);
  const auto number = text.find_first_of("0123456789");
  const auto pid = number == std::string::npos ? 0 : std::strtoll(text.c_str() + number, nullptr, 10);
  std::printf("%-28s held, by process %lld  (%s)\n", what.c_str(), static_cast<long long>(pid), file.c_str());
}

}  // namespace

proto::DoctorResult run_doctor(const CheckFacts& facts) {
  Report report;
  check_git(report);
  check_daemon(report, facts);
  check_socket(report, facts);
  check_root(report, facts);
  for (const auto& pool : pools_below(facts.root)) check_pool(report, pool.filename().string(), pool);
  return report.take();
}

int print_doctor(const CheckFacts& facts, bool json) {
  const auto result = run_doctor(facts);
  if (json) {
    std::printf("%s\n", proto::to_json_text(result).c_str());
  } else {
    int width = 5;
    for (const auto& check : result.checks) width = std::max(width, static_cast<int>(check.name.size()));
    std::printf("%-*s  STATUS  DETAIL\n", width, "CHECK");
    for (const auto& check : result.checks) {
      std::printf("%-*s  %-6s  %s\n", width, check.name.c_str(), check.status.c_str(), check.detail.c_str());
    }
    std::set<std::string> said;
    for (const auto& check : result.checks) {
      if (check.hint && said.insert(*check.hint).second) std::printf("hint: %s\n", check.hint->c_str());
    }
  }
  return result.ok ? 0 : 1;
}

int print_locks(const CheckFacts& facts, const Options& options) {
  bool any = false;
  bool found = false;
  print_lock(facts.paths.instance_lock, "instance", any);
  for (const auto& directory : pools_below(facts.root)) {
    const std::string key = directory.filename().string();
    if (options.pool && *options.pool != key) continue;
    found = true;
    const disk::PoolFiles files(real_path(directory));
    if (!options.slot) print_lock(files.pool_lock(), "pool " + key, any);
    std::error_code ignored;
    for (const auto& item : std::filesystem::directory_iterator(files.init_dir(), ignored)) {
      if (item.path().extension() != ".lock") continue;
      const std::string slot = item.path().stem().string();
      if (options.slot && *options.slot != slot) continue;
      print_lock(item.path(), "slot " + key + "/" + slot, any);
    }
  }
  if (options.pool && !found) {
    std::fprintf(stderr, "wtpool: cannot look at pool %s: there is none below %s\n", options.pool->c_str(), facts.root.c_str());
    return 1;
  }
  if (!any) std::printf("no lock is held\n");
  return 0;
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
