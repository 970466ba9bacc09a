#include "tests/faults/power/restart.hpp"

#include <signal.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/repo.hpp"

namespace wtpool::test::power {
namespace {

using nlohmann::json;

class Restart {
 public:
  Restart(const Told& told, const Tree& disk, std::size_t moment) : told_(told), moment_(moment) {
    for (const auto& item : fs::directory_iterator(told.world()))
      if (item.path().filename() != "run") fs::remove_all(item.path());
    fs::remove_all(told.world() / "run/s");
    fs::remove_all(told.world() / "run");
    disk.write_to(told.world());
    make_old(told.world());
    fs::create_directories(told.world() / "run");
    fs::permissions(told.world() / "run", fs::perms::owner_all);
  }

  std::vector<std::string> look() {
    Process daemon(
        {.argv = {std::string(WTPOOL_BIN_DIR) + "/wtpoold"}, .environment = told_.environment(), .directory = told_.world()});
    const bool up = wait_until([&] { return !daemon.running() || wtpool({"status"}).code == 0; }, 30s);
    if (!up || !daemon.running()) return {"wtpoold does not come up: " + daemon.err_so_far()};
    if (!fs::exists(told_.world() / "pools/app/.meta/config.yaml")) return {};  // there is no pool yet
    settle();
    look_at_leases();
    look_at_work();
    look_at_source();
    if (wrong_.empty()) use_a_slot();
    daemon.signal(SIGTERM);
    if (const auto outcome = daemon.wait(30s); outcome.code != 0)
      wrong("wtpoold ended with " + std::to_string(outcome.code) + ": " + outcome.err);
    return wrong_;
  }

 private:
  // Locks and indexes are of before the machine was started again; this one was not.
  static void make_old(const fs::path& directory) {
    for (const auto& item : fs::recursive_directory_iterator(directory)) {
      const auto extension = item.path().extension();
      if (!item.is_regular_file() || (extension != ".lock" && extension != ".new" && item.path().filename() != "index"))
        continue;
      fs::last_write_time(item.path(), fs::file_time_type::clock::now() - std::chrono::hours(24 * 3650));
    }
  }

  void wrong(std::string sentence) { wrong_.push_back("after the restart: " + std::move(sentence)); }

  [[nodiscard]] Outcome wtpool(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), std::string(WTPOOL_BIN_DIR) + "/wtpool");
    return run({.argv = arguments, .environment = told_.environment(), .directory = told_.world()});
  }

  void settle() {
    const bool settled = wait_until(
        [&] {
          const auto listed = wtpool({"--json", "ls", "--pool", "app"});
          slots_ = json::parse(listed.out, nullptr, false);
          if (listed.code != 0 || slots_.is_discarded()) return false;
          for (const auto& slot : slots_)
            if (slot["state"] == "acquiring" || slot["state"] == "recycling") return false;
          return true;
        },
        30s);
    if (!settled) wrong("the slots do not come to rest: " + wtpool({"--json", "ls", "--pool", "app"}).out);
    for (const auto& slot : slots_) {
      if (slot["state"] == "quarantined" && !holders_objects_were_cut(slot))
        wrong(slot["slot"].get<std::string>() + " is quarantined: " + slot["reason"].dump());
      if (slot["state"] == "held") held_[slot["lease"]["id"]] = slot;
    }
  }

  // Objects that a holder's git wrote and did not sync may be damaged until his release was answered and his slot is idle
  // again. Where their content stands nowhere else a person is asked; that all his files are there is looked at all the same.
  [[nodiscard]] bool holders_objects_were_cut(const json& slot) const {
    const auto reason = slot["reason"].get<std::string>();
    const bool said =
        reason.find("missing or damaged") != std::string::npos || reason.find("invalid object") != std::string::npos;
    const auto& leases = told_.judge().leases();
    return std::any_of(leases.begin(), leases.end(), [&](const Lease& lease) {
      return lease.slot == slot["slot"] && lease.touched && *lease.touched <= moment_ &&
             !(lease.idle && *lease.idle <= moment_) && (said || head_was_cut(lease));
    });
  }
  [[nodiscard]] bool head_was_cut(const Lease& lease) const {
    return try_git(told_.world() / lease.path, {"rev-list", "--objects", "-1", "HEAD"}).code != 0;
  }

  void look_at_leases() {
    std::set<std::string> known;
    for (const Lease& lease : told_.judge().leases()) {
      const bool got = lease.got && *lease.got <= moment_;
      const bool leaving = lease.leaving && *lease.leaving <= moment_;
      const auto found = held_.find(lease.lease_id);
      known.insert(lease.lease_id);
      if (got && !leaving) {
        if (found == held_.end()) {
          wrong("lease " + lease.label + " is gone");
        } else if (found->second["slot"] != lease.slot || found->second["name"] != lease.name) {
          wrong("lease " + lease.label + " is another: " + found->second.dump());
        }
        if (!lease.touched || *lease.touched > moment_) {
          const auto head = try_git(told_.world() / lease.path, {"symbolic-ref", "-q", "HEAD"});
          if (trimmed(head.out) != "refs/heads/" + lease.name)
            wrong("lease " + lease.label + " is on '" + trimmed(head.out) + "' " + head.err);
        }
        // What his own git did not sync may take his commits, and what is in their files; it does not take the slot from him.
        const auto status = try_git(told_.world() / lease.path, {"status", "--porcelain", "--no-renames"});
        const bool excused = lease.touched && *lease.touched <= moment_ && head_was_cut(lease);
        if (status.code != 0 && !excused) wrong("git status fails in the slot of " + lease.label + ": " + status.err);
      } else if (found != held_.end() && !lease.asked) {
        wrong("lease " + lease.label + " is held before it was asked for");
      } else if (found != held_.end() && lease.left && *lease.left <= moment_) {
        wrong("lease " + lease.label + " is held again");
      }
    }
    for (const auto& [id, slot] : held_)
      if (!known.contains(id)) wrong("a lease that nobody asked for: " + slot.dump());
  }

  // By git alone, as a person would look.
  void look_at_work() {
    const auto source = told_.world() / "app";
    std::set<std::string> reachable;
    for (const auto& ref : lines_of(try_git(source, {"for-each-ref", "--format=%(refname)"}).out)) {
      // A branch that its holder moved with an unsynced git may be damaged; what has to be kept is behind another ref then.
      const auto behind = try_git(source, {"rev-list", "--objects", "--no-object-names", ref});
      if (behind.code != 0 && ref.starts_with("refs/wtpool/")) wrong(ref + " is damaged: " + behind.err);
      if (behind.code != 0) continue;
      const auto lines = lines_of(behind.out);
      reachable.insert(lines.begin(), lines.end());
    }
    for (const auto& oid : told_.judge().kept_at(moment_))
      if (!reachable.contains(oid)) wrong(oid + " is behind no ref");
    for (const Lease& lease : told_.judge().leases()) {
      for (const auto& file : lease.files) {
        if (moment_ <= file.since || moment_ > file.until) continue;
        if (read_text(told_.world() / lease.path / file.path) == file.text) continue;
        if (reachable.contains(file.blob) && try_git(source, {"cat-file", "blob", file.blob}).out == file.text) continue;
        if (in_trash_files(lease, file)) continue;
        wrong(file.path + " of " + lease.label + " is neither in its place nor kept");
      }
    }
  }

  [[nodiscard]] bool in_trash_files(const Lease& lease, const Lease::File& file) const {
    std::error_code none;
    for (const auto& id : fs::directory_iterator(told_.world() / lease.path.parent_path() / ".meta/trash", none))
      if (read_text(id.path() / file.path) == file.text) return true;
    return false;
  }

  void look_at_source() {
    const auto source = told_.world() / "app";
    for (const std::vector<std::string>& by_hand : {std::vector<std::string>{"worktree", "list"},
                                                    {"status", "--porcelain"},
                                                    {"branch", "-a"},
                                                    {"branch", "by-hand"},
                                                    {"branch", "-D", "by-hand"}}) {
      if (const auto outcome = try_git(source, by_hand); outcome.code != 0)
        wrong("git " + by_hand[0] + " fails in the source: " + outcome.err);
    }
  }

  // The next caller has a clean slot at the commit he asked for.
  void use_a_slot() {
    const auto acquired = wtpool({"acquire", "next", "--pool", "app", "--wait=20s"});
    if (acquired.code == 4) return;  // all are held
    if (acquired.code != 0) return wrong("nothing can be acquired: " + acquired.err);
    const auto status = try_git(trimmed(acquired.out), {"status", "--porcelain", "--untracked-files=no"});
    if (status.code != 0 || !status.out.empty()) wrong("the next caller's slot is not clean: " + status.out + status.err);
    if (const auto released = wtpool({"release", "next", "--pool", "app", "--wait"}); released.code != 0)
      wrong("it cannot be released: " + released.err);
  }

  const Told& told_;
  std::size_t moment_;
  json slots_;
  std::map<std::string, json> held_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> after_restart(const Told& told, const Tree& disk, std::size_t moment) {
  return Restart(told, disk, moment).look();
}

}  // namespace wtpool::test::power
