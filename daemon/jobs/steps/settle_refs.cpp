#include "daemon/jobs/steps/settle_refs.hpp"

#include "common/base/failpoint.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {
namespace {

constexpr int kRefTries = 3;

// A ref of the trash that stands already: with the same value it is done, with another it is not to be lost.
bool keeps_another(const std::optional<Oid>& there, const std::optional<Oid>& wanted) {
  return there && wanted && *there != *wanted;
}

}  // namespace

bool is_given_away(const JobContext& job, const std::string& git_id, const core::Lease& lease) {
  const auto& source = job.pool->place.source;
  for (const auto& name : git::entry_names(source.str())) {
    if (name == git_id) continue;
    const auto read = disk::MarkerFile(disk::EntryFiles(source, name).marker()).read();
    if (!read) continue;
    const auto* const marker = std::get_if<core::Marker>(&*read);
    if (marker == nullptr) return true;
    if (marker->lease.name != lease.name || marker->lease.id == lease.id) continue;
    // Of two that were cut off, the later one has it.
    const auto since = marker->lease.started_at - lease.started_at;
    if (marker->state == core::MarkerState::held || since > 0) return true;
    if (marker->state == core::MarkerState::acquiring && since == 0) return true;
  }
  return false;
}

SettledRefs settle_refs(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id,
                        const disk::SlotLock& lock, Settling which, std::function<void()> first) {
  const git::Git source = job.source_git(&lock);
  const auto run_first = [&first] {
    if (const auto run = std::exchange(first, nullptr)) run();
  };
  // An adopted lease whose HEAD was detached is called by its slot's id, which is no branch's name.
  const bool has_branch = !lease.name.empty() && lease.name != job.grant.slot.str();
  const std::string branch = has_branch ? "refs/heads/" + lease.name : "refs/wtpool/none";
  const bool has_entry = !git_id.empty();
  const bool stays = core::keeps_branch(lease);
  for (int attempt = 1;; ++attempt) {
    SettledRefs settled;
    settled.trash_id = trash_id;
    git::RefTransaction transaction;
    std::vector<std::string> asked{branch};
    const bool again = which == Settling::again || attempt > 1;
    if (again) {
      asked.push_back(git::trash_ref(trash_id, "head"));
      asked.push_back(git::trash_ref(trash_id, "heads/" + lease.name));
    }
    auto ids = git::tips_now(source, asked);
    ids.resize(3);
    auto tip = ids[0];
    const auto& kept_head = ids[1];
    const auto& kept_tip = ids[2];
    std::optional<std::string> attached;
    std::optional<Oid> head;
    if (has_entry) {
      const auto read = git::read_head(job.pool->place.source.str(), git_id);
      attached = read.branch;
      head = git::ids_of(source, {read.oid ? read.oid->str() + "^{commit}" : "worktrees/" + git_id + "/HEAD"}).front();
    }
    if (tip && which == Settling::again) {
      // What was kept of the branch says what it was when the lease ended: what stands there now was made since.
      const bool made_since = attached != lease.name && keeps_another(kept_tip, tip);
      if (made_since || is_given_away(job, git_id, lease)) tip.reset();
    }

    if (has_entry && attached) {
      const auto at = head ? head : (tip ? tip : std::optional<Oid>(lease.full_sha));
      transaction.detach_head(git_id, *at);
    }
    std::optional<Oid> keep_head;
    std::optional<Oid> keep_tip;
    // Where a lease began others are as well, but for a branch that was gone on with: its tip may have been there alone.
    const auto others_have = [&](const Oid& at) { return at == lease.full_sha && (lease.branch_base || !is_lone(source, at)); };
    if (head && head != tip && head != lease.branch_base && head != kept_tip && !others_have(*head)) keep_head = head;
    if (tip && !stays) {
      if (!lease.branch_base || *tip != *lease.branch_base) keep_tip = tip;
      const auto elsewhere = git::checked_out_at(job.pool->source, lease.name, git_id);
      if (!job.pool->source.worktree && git::holds_branch(job.pool->source.common_dir, lease.name)) {
        settled.warnings.push_back("branch " + lease.name + " is the one that the source's HEAD names, and was left alone");
      } else if (elsewhere) {
        settled.warnings.push_back("branch " + lease.name + " is checked out at " + *elsewhere + " too, and was left alone");
      } else {
        transaction.remove(branch, *tip);
      }
    }
    settled.kept = keep_head || keep_tip || kept_head || kept_tip;
    const bool other_id = keeps_another(kept_head, keep_head) || keeps_another(kept_tip, keep_tip);
    if (other_id) settled.trash_id = unused_trash_id(job, lease.id);
    if (keep_head && (other_id || !kept_head)) transaction.create(git::trash_ref(settled.trash_id, "head"), *keep_head);
    if (keep_tip && (other_id || !kept_tip))
      transaction.create(git::trash_ref(settled.trash_id, "heads/" + lease.name), *keep_tip);
    run_first();
    if (transaction.empty()) return settled;
    git::HeldPack pack;
    std::vector<Oid> kept;
    if (keep_head || keep_tip) {
      record_trash(job, settled.trash_id, lease.name);
      for (const auto& id : {head, tip})
        if (id) kept.push_back(*id);
      pack = keep_objects(source, kept, lease.full_sha);
    }
    try {
      transaction.commit(source);
      // The refs lead there by now, and whoever deletes packs from here on sees them.
      if (!pack.stands()) pack = keep_objects(source, kept, lease.full_sha);
      FAILPOINT("keep.refs-moved");
      return settled;
    } catch (const core::Error& error) {
      if (attempt == kRefTries || error.kind != core::ErrorKind::git_failed) throw;
    }
  }
}

SettledRefs settle_refs(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id,
                        const disk::SlotLock& lock, std::function<void()> first) {
  return settle_refs(job, git_id, lease, trash_id, lock, Settling::first, std::move(first));
}

}  // namespace wtpool::jobs
