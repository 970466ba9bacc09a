#include "daemon/jobs/slot/entry_repair.hpp"

#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry_pointers.hpp"

namespace wtpool::jobs {
namespace {

bool was_in_use(const ServedPool& pool, const std::string& git_id, const SlotId& slot) {
  if (lstat_of(pool.files.intent(slot))) return false;
  const disk::EntryFiles files(pool.place.source, git_id);
  return lstat_of(files.marker()) || (lstat_of(files.entry / "index") && lstat_of(pool.files.gitfile(slot)));
}

// The slot whose entry this is: as it says itself, or as the slot's .git file says.
std::optional<SlotId> slot_of(const ServedPool& pool, const git::Entry& entry) {
  if (!entry.worktree.empty()) {
    const disk::path worktree(entry.worktree);
    const auto name = worktree.filename().string();
    if (!disk::parse_slot_id(name) || real_path(worktree.parent_path()) != pool.files.root) return std::nullopt;
    return SlotId(name);
  }
  for (const auto& directory : children_of(pool.files.root)) {
    const auto name = directory.filename().string();
    if (!disk::parse_slot_id(name)) continue;
    if (git::look_at_directory(pool.place.source.str(), directory).git_id == entry.git_id) return SlotId(name);
  }
  return std::nullopt;
}

void say(const ServedPool& pool, const LostPointers& lost) {
  for (const auto& file : lost.files) {
    log_warn((disk::EntryFiles(pool.place.source, lost.git_id).entry / file).string() +
             " was damaged, which makes git fail in the whole source; it was written again");
  }
}

}  // namespace

std::vector<LostPointers> find_lost_pointers(const ServedPool& pool, const std::vector<git::Entry>& entries) {
  std::vector<LostPointers> found;
  for (const auto& entry : entries) {
    if (entry.state == core::SlotFacts::Entry::sound) continue;
    const auto slot = slot_of(pool, entry);
    if (!slot || !was_in_use(pool, entry.git_id, *slot)) continue;
    auto files = git::lost_pointers(pool.place.source.str(), entry.git_id, pool.files.slot(*slot));
    if (!files.empty()) found.push_back({entry.git_id, *slot, std::move(files)});
  }
  return found;
}

std::vector<LostPointers> restore_own_entries(const ServedPool& pool) {
  const std::string& common = pool.place.source.str();
  auto found = find_lost_pointers(pool, git::list_entries(common));
  std::erase_if(found, [&](LostPointers& lost) {
    try {
      lost.files = git::restore_pointers(common, lost.git_id, pool.files.slot(lost.slot));
    } catch (const core::Error& error) {
      // Whoever asks may get on without it, and the other slots do.
      log_warn("the entry of " + lost.slot.str() + " cannot be put right: " + error.message);
      return true;
    }
    say(pool, lost);
    return false;
  });
  return found;
}

bool restore_own_entry(const ServedPool& pool, const std::string& git_id, const SlotId& slot) {
  if (git_id.empty() || !was_in_use(pool, git_id, slot)) return false;
  const LostPointers lost{git_id, slot, git::restore_pointers(pool.place.source.str(), git_id, pool.files.slot(slot))};
  say(pool, lost);
  return !lost.files.empty();
}

}  // namespace wtpool::jobs
