#include "daemon/jobs/trash/save.hpp"

#include <algorithm>
#include <set>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/source/durable_objects.hpp"
#include "daemon/git/work/rebuild.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

constexpr int kRefTries = 3;

std::string first_eight(const LeaseId& lease) { return lease.str().substr(0, 8); }

std::vector<std::string> trees_of(const git::Git& git, const std::string& work) {
  const auto ids = git::ids_of(git, {work + "^{tree}", work + "^1", work + "^2^{tree}", work + "^3^{tree}"});
  std::vector<std::string> trees;
  for (const auto& id : ids) trees.push_back(id ? id->str() : std::string{});
  return trees;
}

}  // namespace

std::string new_trash_id(const LeaseId& lease) { return compact_utc(wall_now()) + "-" + first_eight(lease); }

std::string unused_trash_id(const JobContext& job, const LeaseId& lease) {
  for (std::int64_t later = 0;; ++later) {
    std::string id = compact_utc(wall_now() + later) + "-" + first_eight(lease);
    if (!lstat_of(job.pool->files.trash_record(id))) return id;
  }
}

bool same_work(const git::Git& git, const std::string& one, const std::string& other) {
  return trees_of(git, one) == trees_of(git, other);
}

std::string free_trash_id(const git::Git& git, const std::string& wanted, const LeaseId& lease) {
  std::string id = wanted;
  for (std::int64_t later = 0; git::ids_of(git, {git::trash_ref(id, "work")}).front(); ++later) {
    id = compact_utc(wall_now() + later) + "-" + first_eight(lease);
  }
  return id;
}

void record_trash(const JobContext& job, const std::string& id, const std::string& name) {
  record_trash(*job.pool, job.grant.slot, id, name);
}

void record_trash(const ServedPool& pool, const SlotId& slot, const std::string& id, const std::string& name) {
  const auto file = pool.files.trash_record(id);
  if (disk::read_trash_record(file)) return;
  make_directories(pool.files.trash_dir(), 0755, true);
  disk::write_trash_record(file, {id, pool.key.str(), slot.str(), name, wall_now()});
  FAILPOINT("keep.recorded");
}

void keep_objects(const git::Git& git, const std::vector<Oid>& tips, const Oid& since) {
  try {
    git::make_durable(git, tips, {since});
  } catch (const core::Error& error) {
    if (error.kind != core::ErrorKind::quarantined) throw;
    throw FaultError{core::Fault::quarantine, error};
  }
}

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

namespace {

// A ref of the trash that stands already: with the same value it is done, with another it is not to be lost.
bool keeps_another(const std::optional<Oid>& there, const std::optional<Oid>& wanted) {
  return there && wanted && *there != *wanted;
}

}  // namespace

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
  for (int attempt = 1;; ++attempt) {
    SettledRefs settled;
    settled.trash_id = trash_id;
    git::RefTransaction transaction;
    std::vector<std::string> asked{has_entry ? "worktrees/" + git_id + "/HEAD" : "refs/wtpool/none", branch};
    const bool again = which == Settling::again || attempt > 1;
    if (again) {
      asked.push_back(git::trash_ref(trash_id, "head"));
      asked.push_back(git::trash_ref(trash_id, "heads/" + lease.name));
    }
    auto ids = git::ids_of(source, asked);
    ids.resize(4);
    const auto head = has_entry ? ids[0] : std::nullopt;
    auto tip = ids[1];
    const auto& kept_head = ids[2];
    const auto& kept_tip = ids[3];
    std::optional<std::string> attached;
    if (has_entry) attached = git::read_head(job.pool->place.source.str(), git_id).branch;
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
    if (tip) {
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
    if (keep_head || keep_tip) {
      record_trash(job, settled.trash_id, lease.name);
      std::vector<Oid> tips;
      for (const auto& id : {head, tip})
        if (id) tips.push_back(*id);
      keep_objects(source, tips, lease.full_sha);
    }
    try {
      transaction.commit(source);
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

}  // namespace

std::optional<std::string> save_dirt(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                     const core::Lease& lease, const git::TreeLook& look,
                                     const std::vector<std::string>& untracked, const std::string& trash_id) {
  if (look.changed.empty() && untracked.empty()) return std::nullopt;
  const auto files = job.entry(git_id);
  const std::string id = free_trash_id(slot, trash_id, lease.id);
  const git::SaveRequest request = what_to_save(job, lease, look, untracked, id);
  record_trash(job, id, request.name);
  const git::Saved saved = git::save_work(slot, request);
  FAILPOINT("keep.work-written");
  if (!saved.work) return saved.moved_aside ? std::optional(id) : std::nullopt;

  if (!saved.moved_aside && !saved.some_aside) {
    // The slot's last entry, and the one of this very release, which a daemon may have made before it died.
    for (const std::string& earlier : {read_file(files.last_save()).value_or(trash_id), trash_id}) {
      const auto work = git::ids_of(slot, {git::trash_ref(earlier, "work")}).front();
      if (!work || !same_work(slot, work->str(), saved.work->str())) continue;
      if (id != earlier && id != trash_id) unlink_durably(job.pool->files.trash_record(id));
      return earlier;
    }
  }
  keep_objects(slot, {*saved.work}, lease.full_sha);
  git::RefTransaction transaction;
  transaction.set(git::trash_ref(id, "work"), *saved.work);
  transaction.commit(job.source_git());
  FAILPOINT("keep.work-reachable");
  write_durably(files.last_save(), id);
  return id;
}

std::optional<std::string> save_late(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                     const core::Lease& lease, const git::TreeLook& look,
                                     const std::vector<std::string>& untracked, const std::optional<std::string>& kept,
                                     const std::string& trash_id) {
  const bool is_own = kept && kept->ends_with("-" + first_eight(lease.id));
  if (is_own && look.changed.empty() && !untracked.empty()) {
    const auto ref = git::trash_ref(*kept, "work");
    const auto work = git::ids_of(slot, {ref}).front();
    const auto whole = work ? git::with_untracked(slot, *work, what_to_save(job, lease, look, untracked, *kept)) : std::nullopt;
    if (whole) {
      keep_objects(slot, {*whole}, lease.full_sha);
      git::RefTransaction transaction;
      transaction.update(ref, *whole, *work);
      transaction.commit(job.source_git());
      FAILPOINT("keep.late-work-reachable");
      return kept;
    }
  }
  return save_dirt(job, slot, git_id, lease, look, untracked, trash_id);
}

std::optional<std::string> save_before_reset(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                             const core::Lease& lease, const git::TreeLook& look,
                                             std::vector<std::string> untracked, const Oid& to, core::Dirty dirty,
                                             const std::string& trash_id) {
  const auto which = dirty == core::Dirty::discard ? git::Untracked::no : git::Untracked::all;
  const auto trodden = git::trodden_by_reset(slot, look, to, which);
  std::optional<std::string> kept;
  if (dirty != core::Dirty::discard) {
    untracked.insert(untracked.end(), trodden.files.begin(), trodden.files.end());
    kept = save_dirt(job, slot, git_id, lease, look, untracked, trash_id);
  }
  if (trodden.repositories.empty()) return kept;
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  git::move_aside(job.slot_path(), trodden.repositories, job.pool->files.trash_files(trash_id));
  return trash_id;
}

std::optional<std::string> mend_index(const JobContext& job, const git::Git& slot) {
  const auto aside = git::mend_index(slot);
  if (!aside) return std::nullopt;
  std::string said = "the index of " + job.grant.slot.str() +
                     " could not be read, and was made anew from HEAD; it is kept as " + aside->string();
  log_warn(said);
  return said;
}

void remember_untracked(const JobContext& job, const std::string& git_id, const std::vector<std::string>& untracked) {
  std::vector<disk::UntrackedFile> files;
  for (const auto& name : untracked) {
    if (const auto stat = lstat_of(job.slot_path() / name)) {
      files.push_back({name, static_cast<std::uint64_t>(stat->st_size), modified_ns(*stat)});
    }
  }
  const auto file = job.entry(git_id).untracked();
  if (files.empty() ? !lstat_of(file) : disk::read_untracked(file) == files) return;
  make_directories(job.entry(git_id).own());
  disk::write_untracked(file, files);
}

std::size_t count_new_untracked(const JobContext& job, const std::string& git_id, const std::vector<std::string>& untracked) {
  const auto known = disk::read_untracked(job.entry(git_id).untracked()).value_or(std::vector<disk::UntrackedFile>{});
  std::map<std::string, const disk::UntrackedFile*> by_name;
  for (const auto& file : known) by_name[file.name] = &file;
  std::size_t count = 0;
  for (const auto& name : untracked) {
    const auto found = by_name.find(name);
    const auto stat = lstat_of(job.slot_path() / name);
    if (found == by_name.end() || !stat) {
      ++count;
      continue;
    }
    if (found->second->size != static_cast<std::uint64_t>(stat->st_size) || found->second->mtime_ns != modified_ns(*stat))
      ++count;
  }
  return count;
}

disk::SlotLock take_slot_lock(const JobContext& job) {
  auto lock = disk::SlotLock::try_take(job.pool->files, job.grant.slot);
  if (!lock) {
    fail(core::Fault::slot_busy, core::ErrorKind::contended,
         job.grant.slot.str() + " is being worked on by another process (its lock " +
             job.pool->files.slot_lock(job.grant.slot).string() + " is held)",
         "wtpool unstick --slot " + job.grant.slot.str() + " --pool " + proto::shell_word(job.pool->key.str()));
  }
  return std::move(*lock);
}

void prove_place(const JobContext& job, const std::string& git_id) {
  const auto disproof = [&] {
    return git_id.empty() ? std::optional<std::string>("it has no worktree entry")
                          : git::disproof_of_place(job.pool->place.source.str(), git_id, job.slot_path());
  };
  auto why = disproof();
  if (why && restore_own_entry(*job.pool, git_id, job.grant.slot)) why = disproof();
  if (why) {
    fail(core::Fault::quarantine, core::ErrorKind::quarantined, job.grant.slot.str() + " is not what it was: " + *why,
         "wtpool repair " + job.grant.slot.str() + " --pool " + proto::shell_word(job.pool->key.str()));
  }
}

void prove_idle(const JobContext& job, const std::string& git_id) {
  prove_place(job, git_id);
  if (lstat_of(job.entry(git_id).marker())) {
    fail(core::Fault::quarantine, core::ErrorKind::quarantined,
         job.grant.slot.str() + " was idle, and a marker appeared in it");
  }
}

std::optional<std::string> clear_the_way(const JobContext& job, const git::Git& slot, const Oid& from, const Oid& to,
                                         const std::string& trash_id, const std::string& name) {
  if (from == to) return std::nullopt;
  const auto in_way = git::in_the_way(job.slot_path().string(), git::paths_added(slot, from, to));
  if (in_way.empty()) return std::nullopt;
  record_trash(job, trash_id, name);
  git::move_aside(job.slot_path(), in_way, job.pool->files.trash_files(trash_id));
  return trash_id;
}

}  // namespace wtpool::jobs
