// What the disk says of slots. Reading only; but who reads a pool back finds what stops git in its source first.
#include "daemon/jobs/slot/facts.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"

namespace wtpool::jobs {
namespace {

// A pool's slots are looked up one by one among all entries: comparing text comes before asking the file system, and that is
// asked of those alone that may be the slot under another name of a directory above it.
const git::Entry* entry_of(const ServedPool& pool, const SlotId& slot, const std::vector<git::Entry>& entries) {
  const auto place = pool.files.slot(slot);
  for (const auto& entry : entries) {
    if (entry.worktree == place.native()) return &entry;
  }
  const git::Entry* torn = nullptr;
  for (const auto& entry : entries) {
    if (entry.worktree.ends_with("/" + slot.str()) && real_path(entry.worktree) == place) return &entry;
    if (entry.worktree.empty() && entry.git_id == slot.str()) torn = &entry;
  }
  return torn;
}

void read_marker(const ServedPool& pool, core::SlotFacts& facts) {
  const auto read = disk::MarkerFile(disk::EntryFiles(pool.place.source, facts.git_id).marker()).read();
  if (!read) return;
  if (const auto* why = std::get_if<std::string>(&*read)) {
    facts.marker_read = core::SlotFacts::MarkerRead::unreadable;
    facts.problem = "its marker cannot be read: " + *why;
    return;
  }
  facts.marker_read = core::SlotFacts::MarkerRead::sound;
  facts.marker = std::get<core::Marker>(*read);
  if (facts.marker->lease.adopted) {
    auto& lease = facts.marker->lease;
    lease.name = facts.branch.value_or(facts.slot.str());
    lease.branch_base = lease.full_sha;  // that tool makes every branch at the commit it wrote down
    if (!lease.group) lease.group = disk::parse_slot_id(facts.slot.str()).value_or(disk::SlotParts{}).group;
  }
}

}  // namespace

core::SlotFacts read_facts(const ServedPool& pool, const SlotId& slot, const std::vector<git::Entry>& entries) {
  core::SlotFacts facts;
  facts.slot = slot;
  const std::string& common = pool.place.source.str();
  if (const auto* entry = entry_of(pool, slot, entries)) {
    facts.git_id = entry->git_id;
    facts.entry = entry->state;
    facts.problem = entry->problem;
  }
  const auto directory = git::look_at_directory(common, pool.files.slot(slot));
  facts.directory = directory.state;
  std::error_code ignored;
  if (facts.git_id.empty() && facts.directory == core::SlotFacts::Directory::no_gitfile &&
      std::filesystem::is_empty(pool.files.slot(slot), ignored) && !ignored) {
    facts.directory = core::SlotFacts::Directory::absent;  // an empty directory is nobody's slot, and nobody's work
  }
  if (facts.problem.empty()) facts.problem = directory.problem;
  if (facts.entry == core::SlotFacts::Entry::sound) {
    const auto head = git::read_head(common, facts.git_id);
    facts.head = head.oid;
    facts.branch = head.branch;
    if (facts.directory == core::SlotFacts::Directory::sound) {
      if (const auto why = git::disproof_of_place(common, facts.git_id, pool.files.slot(slot))) {
        facts.directory = core::SlotFacts::Directory::foreign;
        facts.problem = *why;
      }
    }
  }
  if (!facts.git_id.empty()) read_marker(pool, facts);
  if (const auto record = disk::read_quarantine(pool.files.quarantine(slot))) facts.quarantine = record->reason;
  facts.intent = lstat_of(pool.files.intent(slot)).has_value();
  const bool unsettled = facts.intent || (facts.marker && facts.marker->state != core::MarkerState::held);
  if (unsettled) facts.busy = disk::FileLock::is_held(pool.files.slot_lock(slot));
  return facts;
}

std::vector<SlotId> slots_on_disk(const ServedPool& pool, const std::vector<git::Entry>& entries) {
  std::set<std::string> names;
  const auto& groups = pool.config.groups;
  const auto take = [&](const std::string& name) {
    const auto parts = disk::parse_slot_id(name);
    if (!parts) return;
    if (parts->group ? std::find(groups.begin(), groups.end(), *parts->group) != groups.end() : groups.empty())
      names.insert(name);
  };
  for (const auto& item : children_of(pool.files.root)) take(item.filename().string());
  for (const auto* folder : {"init", "quarantine"}) {
    for (const auto& item : children_of(pool.files.meta() / folder)) {
      if (item.extension() == ".intent" || item.extension() == ".yaml") take(item.stem().string());
    }
  }
  for (const auto& entry : entries) {
    if (entry.worktree.empty()) continue;
    const disk::path worktree(entry.worktree);
    if (real_path(worktree.parent_path()) != pool.files.root) continue;
    take(worktree.filename().string());
    // A held slot of a group that the config names no more can still be released.
    if (lstat_of(disk::EntryFiles(pool.place.source, entry.git_id).marker()) &&
        disk::parse_slot_id(worktree.filename().string())) {
      names.insert(worktree.filename().string());
    }
  }
  std::vector<SlotId> slots;
  for (const auto& name : names) slots.emplace_back(name);
  return slots;
}

bool only_entry_left(const ServedPool& pool, const core::SlotFacts& facts) {
  using core::SlotFacts;
  if (facts.marker_read != SlotFacts::MarkerRead::absent || facts.intent) return false;
  const bool torn = facts.entry == SlotFacts::Entry::torn;
  if (!torn && facts.entry != SlotFacts::Entry::sound) return false;
  if (facts.directory == SlotFacts::Directory::absent) return true;
  const auto directory = pool.files.slot(facts.slot);
  if (!torn || !is_directory_no_follow(directory)) return false;
  std::error_code failed;
  bool only_gitfile = true;
  for (std::filesystem::directory_iterator it(directory, failed), end; !failed && it != end; it.increment(failed)) {
    const auto stat = lstat_of(it->path());
    only_gitfile = only_gitfile && it->path().filename() == ".git" && stat && S_ISREG(stat->st_mode);
  }
  return only_gitfile && !failed;
}

std::vector<std::string> nameless_entries(const ServedPool& pool, const std::vector<git::Entry>& entries) {
  std::vector<std::string> found;
  for (const auto& entry : entries) {
    if (entry.state != core::SlotFacts::Entry::torn || !entry.worktree.empty()) continue;
    const auto parts = disk::parse_slot_id(entry.git_id);
    const auto& groups = pool.config.groups;
    const bool named_like_one =
        parts && (parts->group ? std::find(groups.begin(), groups.end(), *parts->group) != groups.end() : groups.empty());
    const disk::EntryFiles files(pool.place.source, entry.git_id);
    const bool somebodys = lstat_of(files.marker()).has_value() ||
                           lstat_of(pool.files.slot(SlotId(entry.git_id))).has_value() ||
                           lstat_of(pool.files.intent(SlotId(entry.git_id))).has_value();
    if (named_like_one && !somebodys) found.push_back(entry.git_id);
  }
  return found;
}

}  // namespace wtpool::jobs
