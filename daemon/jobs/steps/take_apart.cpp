#include "daemon/jobs/steps/take_apart.hpp"

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/steps/settle_refs.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {
namespace {

void rename_to_trash(const JobContext& job, const std::string& trash_id) {
  record_trash(job, trash_id, job.grant.slot.str());
  const auto to = job.pool->files.trash_files(trash_id);
  make_directories(to, 0755, true);
  const auto from = job.slot_path();
  if (::rename(from.c_str(), (to / job.grant.slot.str()).c_str()) != 0) throw io_error("cannot move to the trash", from, errno);
  sync_directory(to);
  FAILPOINT("repair.directory-in-trash");
}

}  // namespace

core::Lease last_lease(const core::SlotFacts& facts) {
  if (facts.marker) return facts.marker->lease;
  core::Lease nobody;
  nobody.id = LeaseId(random_hex(32));
  nobody.full_sha = facts.head.value_or(Oid{});
  return nobody;
}

std::optional<std::string> keep_head(const JobContext& job, const std::string& git_id, core::Dirty dirty,
                                     const std::string& trash_id) {
  try {
    return keep_lone_head(job, git_id, trash_id);
  } catch (const core::Error& error) {
    const bool damaged = error.kind == core::ErrorKind::quarantined || error.kind == core::ErrorKind::git_failed;
    if (dirty != core::Dirty::discard || !damaged) throw;
    log_warn("commits of " + job.grant.slot.str() + " are given up: " + error.message);
    return std::nullopt;
  }
}

core::done::Fresh take_apart(const JobContext& job, const core::SlotFacts& facts, const core::Lease& lease, core::Dirty dirty,
                             const std::string& trash_id, const disk::SlotLock& lock) {
  const std::string& common = job.pool->place.source.str();
  const bool sound = facts.entry == core::SlotFacts::Entry::sound;
  const bool torn = facts.entry == core::SlotFacts::Entry::torn;
  core::done::Fresh fresh;
  if (sound) {
    const auto settled = settle_refs(job, facts.git_id, lease, trash_id, lock, Settling::again);
    if (settled.kept) fresh.kept = settled.trash_id;
    if (dirty != core::Dirty::discard && save_staged(job, facts.git_id, lease, trash_id, lock)) fresh.kept = trash_id;
  }
  if (sound || torn) {
    const auto kept = keep_head(job, facts.git_id, dirty, trash_id);
    if (kept && !fresh.kept) fresh.kept = kept;
    FAILPOINT("repair.head-kept");
  }
  if (lstat_of(job.slot_path())) {
    rename_to_trash(job, trash_id);
    fresh.kept = trash_id;
  }
  if (sound || torn) {
    if (keep_submodule_repositories(*job.pool, job.grant.slot, facts.git_id, lease.name, trash_id)) fresh.kept = trash_id;
  }
  if (sound) git::remove_entry(common, facts.git_id);
  if (torn && lstat_of(job.entry(facts.git_id).entry)) (void)git::move_entry_aside(common, facts.git_id);
  return fresh;
}

std::optional<std::string> forget_slot(const JobContext& job, const core::SlotFacts& facts, const disk::SlotLock& lock) {
  const auto lease = last_lease(facts);
  const auto kept = take_apart(job, facts, lease, core::Dirty::save, new_trash_id(lease.id), lock).kept;
  unlink_durably(job.pool->files.quarantine(job.grant.slot));
  return kept;
}

}  // namespace wtpool::jobs
