#include "daemon/jobs/doctor/findings.hpp"

#include <set>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/core/rules/reconcile.hpp"
#include "daemon/git/files/index_file.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/lock_holders.hpp"
#include "daemon/git/process/stale_locks.hpp"
#include "daemon/git/source/missed_filters.hpp"
#include "daemon/git/source/pruning.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/tree/checkout_settings.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/pool_config.hpp"
#include "daemon/jobs/slot/source_away.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

using core::Seen;
using proto::shell_word;
using Weight = Finding::Weight;

std::string in_words(const std::vector<std::int64_t>& pids) {
  std::string text = pids.size() == 1 ? "process" : "processes";
  for (const auto pid : pids) text += " " + std::to_string(pid);
  return text;
}

class Examination {
 public:
  Examination(const ServedPool& pool, Served served)
      : pool_(pool), served_(served), common_(pool.place.source.str()), entries_(git::list_entries(common_)) {}

  std::vector<Finding> run() {
    std::set<std::string> told;
    for (const auto& lost : find_lost_pointers(pool_, entries_)) {
      told.insert(lost.git_id);
      add_lost(lost);
    }
    const auto restorable = told;
    for (const auto& slot : slots_on_disk(pool_, entries_)) {
      const auto facts = read_facts(pool_, slot, entries_);
      const bool restored = restorable.contains(facts.git_id) && core::classify(facts) != Seen::held;
      if (!facts.git_id.empty()) told.insert(facts.git_id);
      if (!restored) look_at(facts);
    }
    for (const auto& name : nameless_entries(pool_, entries_)) {
      if (!told.insert(name).second) continue;
      add_torn(name);
    }
    for (const auto& entry : entries_) {
      if (entry.unread) add(Weight::warn, "worktree entry " + printable(entry.git_id) + " is left alone: " + entry.problem, {});
      if (entry.state != core::SlotFacts::Entry::torn || told.contains(entry.git_id) || of_another_pool(entry)) continue;
      add(Weight::error, "worktree entry " + printable(entry.git_id) + " of " + common_ + " is torn: " + entry.problem, {},
          "mv " + shell_word(common_ + "/worktrees/" + entry.git_id) + " ELSEWHERE");
    }
    look_at_shared_locks();
    look_at_create();
    look_at_source();
    return std::move(findings_);
  }

 private:
  void add(Weight weight, std::string what, std::string remedy, std::string hint = {}) {
    findings_.push_back({weight, std::move(what), std::move(remedy), std::move(hint)});
  }
  [[nodiscard]] std::string verb(const std::string& name, const core::SlotFacts& facts) const {
    return "wtpool " + name + " " + facts.slot.str() + " --pool " + shell_word(pool_.key.str());
  }

  void look_at_create() {
    const core::Create asked = pool_.config.create;
    if (asked != core::Create::snapshot && asked != core::Create::reflink) return;
    const HowToCreate how = how_to_create(pool_);
    if (how.way != Way::checkout) return;
    add(Weight::warn, "new slots are checked out, whatever create: says in its config: " + how.why, {},
        "set create: auto in " + pool_.files.config().string());
  }

  // A template that is not used, or only in part, is replaced by a new one.
  void look_at_templates(const git::Git& source, const std::optional<Oid>& tip) {
    const TemplateBook book(pool_.files);
    const std::string pool = " --pool " + shell_word(pool_.key.str());
    for (const auto& each : book.all()) {
      const std::string name = "template " + each->record.id;
      const std::string group = each->record.group ? " --group " + shell_word(*each->record.group) : std::string{};
      if (const auto damage = damage_of(*each)) {
        add(Weight::warn, name + " is damaged, and used no more once a slot is to be made of it: " + *damage, {},
            "wtpool template drop " + each->record.id + pool);
      } else if (git::checkout_settings(source, pool_.config.filters) != each->record.settings) {
        add(Weight::warn, name + " is not used: git's settings for the content of files are others than when it was made", {},
            "wtpool prepare" + pool + group + " -- COMMAND");
      } else if (tip) {
        look_at_guards(source, *each, *tip, "wtpool prepare" + pool + group + " -- COMMAND");
      }
    }
  }

  void look_at_guards(const git::Git& source, const Template& each, const Oid& tip, const std::string& hint) {
    for (const std::string& path : misguarded(source, each, tip)) {
      std::string guards;
      for (const auto& carried : each.record.carried) {
        if (carried.path != path) continue;
        for (const auto& guard : carried.guards) guards += (guards.empty() ? "" : ", ") + printable(guard.path);
      }
      add(Weight::warn,
          "new slots at " + printable(pool_.config.default_commit) + " do not get " + printable(path) + " of template " +
              each.record.id + ": what makes it valid changed since, one of " + guards,
          {}, hint);
    }
  }

  void add_torn(const std::string& git_id) {
    add(Weight::error, "worktree entry " + git_id + " of " + common_ + " is torn, and git may fail in the whole source",
        "move it aside, to " + common_ + "/wtpool/aside");
  }

  void add_lost(const LostPointers& lost) {
    std::string names;
    for (const auto& file : lost.files) names += (names.empty() ? "" : " and ") + file;
    add(Weight::error,
        "worktree entry " + lost.git_id + " of " + common_ + " has no " + names + ", and git may fail in the whole source",
        "write " + names + " again, as " + lost.slot.str() + " says");
  }

  [[nodiscard]] bool of_another_pool(const git::Entry& entry) const {
    if (entry.worktree.empty()) return false;
    const auto root = real_path(disk::path(entry.worktree).parent_path());
    return root != pool_.files.root && root.parent_path() == pool_.files.root.parent_path();
  }

  void look_at(const core::SlotFacts& facts) {
    const std::string slot = facts.slot.str();
    const Seen seen = core::classify(facts);
    if (only_entry_left(pool_, facts)) {
      if (facts.entry == core::SlotFacts::Entry::torn) return add_torn(facts.git_id);
      add(Weight::error, slot + " has no directory any more, its worktree entry " + facts.git_id + " is left",
          "forget " + slot + "; what was staged in it, and commits of its HEAD, are kept in the trash");
      return;
    }
    switch (seen) {
      case Seen::absent:
        return;
      case Seen::idle:
        look_at_lock_file(facts);
        return look_at_locks(facts, true);
      case Seen::held:
        look_at_held(facts);
        look_at_lock_file(facts);
        look_at_index(facts);
        return look_at_locks(facts, false);
      case Seen::acquiring:
      case Seen::releasing:
      case Seen::intent:
        if (served_ == Served::no) look_at_half_done(facts, seen);
        return;
      case Seen::quarantined:
        add(Weight::error, slot + " is quarantined: " + *facts.quarantine, {}, verb("repair", facts));
        return;
      case Seen::unreadable:
      case Seen::ghost:
      case Seen::torn:
        add(Weight::error, slot + ": " + core::why_quarantined(facts, seen, core::Holds::unknown), {}, verb("repair", facts));
        return;
    }
  }

  // Whatever became of the slot, its lease lives: what helps leaves the work where it is.
  void look_at_held(const core::SlotFacts& facts) {
    using core::SlotFacts;
    const std::string held = facts.slot.str() + " is held by '" + printable(facts.marker->lease.name) + "', and ";
    const auto path = pool_.files.slot(facts.slot);
    if (facts.directory == SlotFacts::Directory::absent) {
      add(Weight::warn, held + "its directory is gone", {}, verb("release", facts));
    } else if (facts.directory != SlotFacts::Directory::sound) {
      const auto directory = git::look_at_directory(common_, path);
      const auto gitfile = lstat_of(path / ".git");
      const bool mendable = is_directory_no_follow(path) && (!gitfile || S_ISREG(gitfile->st_mode));
      add(Weight::error, held + (directory.problem.empty() ? facts.problem : directory.problem), {},
          mendable ? "git -C " + shell_word(common_) + " worktree repair"
                   : "ls -ld " + shell_word(path.string()) + " " + shell_word((path / ".git").string()));
    }
    if (facts.entry == SlotFacts::Entry::torn && facts.problem.starts_with(git::kHeadProblem)) {
      add(Weight::error, held + facts.problem + ": git fails in it", {},
          std::string("wtpool daemon ") + (served_ == Served::yes ? "restart" : "start"));
    } else if (facts.entry == SlotFacts::Entry::foreign) {
      add(Weight::error, held + facts.problem, {},
          "ls -l " + shell_word(disk::EntryFiles(pool_.place.source, facts.git_id).entry.string()));
    }
  }

  void look_at_half_done(const core::SlotFacts& facts, Seen seen) {
    const std::string slot = facts.slot.str();
    const std::string name = facts.marker ? "'" + printable(facts.marker->lease.name) + "'" : "a name";
    std::string first;
    if (facts.busy) {
      const auto child = disk::SlotLock::recorded_child(pool_.files, facts.slot);
      first =
          "end what still works in it" + (child ? " (process " + std::to_string(child->pid) + ")" : std::string()) + ", then ";
    }
    if (seen == Seen::releasing) {
      add(Weight::error, "the release of " + name + " from " + slot + " was cut off", first + "finish it, work saved first");
    } else if (seen == Seen::acquiring) {
      add(Weight::error, "an acquire of " + name + " in " + slot + " was cut off",
          first + "undo it: " + slot + " becomes idle, and branch " + name +
              " goes if this acquire made it and it has not moved");
    } else {
      add(Weight::error, "the making of " + slot + " was cut off: " + pool_.files.intent(facts.slot).string() + " stands",
          first + "undo it: the entry it made is moved aside, the intent goes");
    }
  }

  void look_at_lock_file(const core::SlotFacts& facts) {
    if (facts.entry != core::SlotFacts::Entry::sound || git::is_locked(common_, facts.git_id)) return;
    add(Weight::error, facts.slot.str() + " is not locked as a worktree: `git worktree prune` may take it away",
        "lock it with the reason 'wtpool " + pool_.key.str() + "'");
  }

  // Whether to give up what was staged is the holder's to say, as long as this machine is up.
  void look_at_index(const core::SlotFacts& facts) {
    if (facts.git_id.empty()) return;
    const auto index = disk::EntryFiles(pool_.place.source, facts.git_id).entry / "index";
    if (!git::is_damaged_index(index)) return;
    add(Weight::warn, "the index of " + facts.slot.str() + ", which is held, is damaged: " + index.string(), {},
        "rm " + shell_word(index.string()) + " && git -C " + shell_word(pool_.files.slot(facts.slot).string()) + " reset");
  }

  // In a held slot a lock may be that of the holder's own git.
  void look_at_locks(const core::SlotFacts& facts, bool nobodys) {
    if (facts.git_id.empty()) return;
    const auto entry = disk::EntryFiles(pool_.place.source, facts.git_id).entry;
    for (const auto& lock : git::locks_in_entry(entry.string())) {
      const auto seen = lstat_of(lock);
      const auto holders = git::holders_of(lock, common_);
      // It may be that of a git that has ended since, or of a job that has the slot's lock this very moment.
      const auto now = lstat_of(lock);
      const bool same = seen && now && seen->st_ino == now->st_ino && changed_ns(*seen) == changed_ns(*now);
      if (!same || (nobodys && disk::FileLock::is_held(pool_.files.slot_lock(facts.slot)))) continue;
      std::string what = "a lock of git stands in " + facts.slot.str() + ": " + lock.string();
      if (!holders) {
        add(Weight::warn, what + "; who holds it cannot be told", {});
      } else if (!holders->empty()) {
        add(Weight::warn, what + ", which may be held by " + in_words(*holders), {});
      } else if (nobodys) {
        add(Weight::error, what + ", which nobody holds", "remove it");
      } else {
        add(Weight::warn, what + ", which nobody holds; the slot is held", {}, "rm " + shell_word(lock.string()));
      }
    }
  }

  void look_at_shared_locks() {
    const std::int64_t now = wall_now();
    for (const auto& lock : git::shared_locks(common_)) {
      if (lock.file.parent_path().parent_path() == disk::path(common_) / "worktrees") continue;  // told with its slot
      const std::string what = "a lock stands in the source, at " + lock.file.string();
      if (!lock.held_by.empty()) {
        if (lock.old_enough(now)) add(Weight::warn, what + ", which may be held by " + in_words(lock.held_by), {});
      } else if (lock.ours && lock.nobodys()) {
        add(Weight::error, what + ", left by a git of ours that was killed",
            lock.old_enough(now) ? "remove it" : "remove it when it is 10 s old");
      } else if (lock.old_enough(now)) {
        add(Weight::warn, what + ", which nobody holds, of no git that we know of", {}, "rm " + shell_word(lock.file.string()));
      }
    }
  }

  // A pool whose config says which may run has said so.
  void look_at_filters(const git::Git& source, const Oid& tip) {
    if (pool_.config.filters != core::PoolConfig{}.filters) return;
    for (const std::string& driver : git::drivers_missed(source, tip)) {
      add(Weight::warn, "the filter '" + printable(driver) + "' may not run: its files are in slots as git stores them", {},
          "add `filters: [lfs, " + printable(driver) + "]` to " + pool_.files.config().string());
    }
  }

  void look_at_source() {
    const auto& wanted = pool_.config.default_commit;
    try {
      git::Context context;
      context.allowed_filters = pool_.config.filters;
      const git::Git source({common_, {}}, context);
      for (const auto& remote : git::remotes_that_prune_all(source))
        add(Weight::warn, git::prune_warning(common_, remote), "leave refs/wtpool/* out of what it fetches",
            git::prune_remedy(common_, remote));
      const auto tip = wanted.empty() ? std::nullopt : git::ids_of(source, {wanted + "^{commit}"}).front();
      if (tip) look_at_filters(source, *tip);
      look_at_templates(source, tip);
      if (!wanted.empty() && !tip) {
        add(Weight::warn, "its default commit '" + printable(wanted) + "' is unknown in the source", {},
            "git -C " + shell_word(common_) + " branch -a");
      }
    } catch (const core::Error& error) {
      add(Weight::error, "git fails in the source: " + error.message, {}, "git -C " + shell_word(common_) + " status");
    }
    constexpr std::uint64_t kLittle = 1024ULL * 1024 * 1024;
    if (const auto free = free_bytes(common_); free && *free < kLittle) {
      add(Weight::warn, "the source's file system has " + std::to_string(*free >> 20) + " MiB free", {},
          "df -h " + shell_word(common_));
    }
  }

  const ServedPool& pool_;
  Served served_;
  std::string common_;
  std::vector<git::Entry> entries_;
  std::vector<Finding> findings_;
};

}  // namespace

std::shared_ptr<const ServedPool> view_pool(const PoolKey& key, const disk::PoolFiles& files) {
  auto pool = std::make_shared<ServedPool>(ServedPool{key, files, {}, {}, {}, nullptr, nullptr});
  pool->config = read_pool_config(key, files);
  pool->source = open_source_of(key, files, pool->config.source, git::Context{});
  pool->place.root = files.root.string();
  pool->place.source = SourceId(pool->source.common_dir);
  pool->place.worktree = pool->source.worktree;
  return pool;
}

std::string how_slots_are_made(const ServedPool& pool) {
  const HowToCreate how = how_to_create(pool);
  switch (how.way) {
    case Way::snapshot:
      return "new ones are snapshots of a template";
    case Way::reflink:
      return "new ones are cloned from a template";
    case Way::checkout:
      return "new ones are checked out (" + how.why + ")";
  }
  return {};
}

std::vector<Finding> examine(const ServedPool& pool, Served served) { return Examination(pool, served).run(); }

}  // namespace wtpool::jobs
