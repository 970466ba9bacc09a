#include "daemon/jobs/trash/save.hpp"

#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/trash/trash_id.hpp"

namespace wtpool::jobs {

namespace {

git::SaveRequest what_to_save(const JobContext& job, const core::Lease& lease, const git::TreeLook& look,
                              const std::vector<std::string>& untracked, const std::string& id) {
  git::SaveRequest request;
  request.name = lease.name.empty() ? job.grant.slot.str() : lease.name;
  request.base = look.head.value_or(lease.full_sha);
  request.changed = look.changed;
  request.untracked = untracked;
  request.limit_bytes = job.pool->config.save_limit_bytes;
  request.limit_files = job.pool->config.save_limit_files;
  request.aside = job.pool->files.trash_files(id);
  return request;
}

// An object that is damaged is mended by nobody but a person, or set aside and made again.
git::Saved save_or_quarantine(const git::Git& slot, const git::SaveRequest& request) {
  try {
    return git::save_work(slot, request);
  } catch (const core::Error& error) {
    if (error.kind != core::ErrorKind::quarantined) throw;
    throw FaultError{core::Fault::quarantine, error};
  }
}

}  // namespace

std::optional<std::string> save_dirt(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                     const core::Lease& lease, const git::TreeLook& look,
                                     const std::vector<std::string>& untracked, const std::string& trash_id,
                                     git::Stamps* as_saved) {
  if (look.changed.empty() && untracked.empty()) return std::nullopt;
  const auto files = job.entry(git_id);
  const std::string id = free_trash_id(slot, trash_id, lease.id);
  const git::SaveRequest request = what_to_save(job, lease, look, untracked, id);
  record_trash(job, id, request.name);
  git::Saved saved = save_or_quarantine(slot, request);
  FAILPOINT("keep.work-written");
  if (as_saved != nullptr) as_saved->merge(saved.as_saved);
  if (!saved.work) return saved.moved_aside ? std::optional(id) : std::nullopt;

  if (!saved.moved_aside && !saved.some_aside) {
    // The slot's last entry, if it is of this lease, and the one of this very release, which a daemon may have made before it
    // died.
    for (const std::string& earlier : {read_file(files.last_save()).value_or(trash_id), trash_id}) {
      if (!is_trash_of(lease.id, earlier)) continue;
      const auto work = git::ids_of(slot, {git::trash_ref(earlier, "work")}).front();
      if (!work || !same_work(slot, work->str(), saved.work->str())) continue;
      if (id != earlier && id != trash_id) unlink_durably(job.pool->files.trash_record(id));
      return earlier;
    }
  }
  git::RefTransaction transaction;
  transaction.set(git::trash_ref(id, "work"), *saved.work);
  commit_kept(transaction, job.source_git(), std::move(saved.pack));
  FAILPOINT("keep.work-reachable");
  write_atomically(files.last_save(), id);
  return id;
}

std::optional<std::string> save_late(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                     const core::Lease& lease, const git::TreeLook& look,
                                     const std::vector<std::string>& untracked, const std::optional<std::string>& kept,
                                     const std::string& trash_id, git::Stamps* as_saved) {
  const bool is_own = kept && is_trash_of(lease.id, *kept);
  if (is_own && look.changed.empty() && !untracked.empty()) {
    const auto ref = git::trash_ref(*kept, "work");
    const auto work = git::ids_of(slot, {ref}).front();
    auto whole = work ? git::with_untracked(slot, *work, what_to_save(job, lease, look, untracked, *kept)) : std::nullopt;
    if (whole) {
      git::RefTransaction transaction;
      transaction.update(ref, *whole->work, *work);
      commit_kept(transaction, job.source_git(), std::move(whole->pack));
      if (as_saved != nullptr) as_saved->merge(whole->as_saved);
      FAILPOINT("keep.late-work-reachable");
      return kept;
    }
  }
  return save_dirt(job, slot, git_id, lease, look, untracked, trash_id, as_saved);
}

std::optional<std::string> save_before_reset(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                             const core::Lease& lease, const git::TreeLook& look,
                                             std::vector<std::string> untracked, const Oid& to, core::Dirty dirty,
                                             const std::string& trash_id, git::Stamps* as_saved) {
  const auto which = dirty == core::Dirty::discard ? git::Untracked::no : git::Untracked::all;
  const auto trodden = git::trodden_by_reset(slot, look, to, which);
  std::optional<std::string> kept;
  if (dirty != core::Dirty::discard) {
    untracked.insert(untracked.end(), trodden.files.begin(), trodden.files.end());
    kept = save_dirt(job, slot, git_id, lease, look, untracked, trash_id, as_saved);
  }
  if (trodden.repositories.empty()) return kept;
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  git::move_aside(job.slot_path(), trodden.repositories, job.pool->files.trash_files(trash_id));
  return trash_id;
}

}  // namespace wtpool::jobs
