#include "daemon/jobs/steps/idle_tree.hpp"

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/clean.hpp"
#include "daemon/git/tree/reset.hpp"
#include "daemon/git/work/as_saved.hpp"
#include "daemon/git/work/rebuild.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/trash/save.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {
namespace {

bool stands_where_it_was_left(const JobContext& job, const std::string& git_id, const Oid& head) {
  try {
    return read_file(job.entry(git_id).standing()) == head.str();
  } catch (const core::Error&) {
    return false;  // then git is asked, which costs no more than time
  }
}

// What cannot be kept is for a person to look at.
void or_quarantine(const std::function<void()>& keep) {
  try {
    keep();
  } catch (const core::Error& error) {
    if (error.kind == core::ErrorKind::cancelled) throw;
    throw FaultError{core::Fault::quarantine, error};
  }
}

// Only what was saved, as it was saved, is reset: whoever wrote in the slot may go on.
void reset_as_saved(const JobContext& job, const git::Git& slot, const std::string& git_id, const git::TreeLook& look,
                    const Oid& at, const git::Stamps& as_saved, const std::string& trash_id) {
  if (git::is_sparse(slot.place().git_dir)) return git::reset_hard(slot, at);
  const auto aside = job.pool->files.trash_files(trash_id);
  const auto holding = job.pool->files.meta() / ("taking-" + job.grant.slot.str());
  if (!git::take_saved(job.slot_path(), as_saved, holding, aside).aside.empty())
    record_trash(job, trash_id, job.grant.slot.str());
  git::remove_empty_directories(job.slot_path(), look.changed);
  git::reset_beside(slot, at);
  git::RefTransaction transaction;
  if (look.head) {
    transaction.update("worktrees/" + git_id + "/HEAD", at, *look.head);
  } else {
    transaction.detach_head(git_id, at);
  }
  transaction.commit(job.source_git());
}

}  // namespace

void remember_standing(const JobContext& job, const std::string& git_id, const Oid& at) {
  if (stands_where_it_was_left(job, git_id, at)) return;
  make_directories(job.entry(git_id).own());
  write_atomically(job.entry(git_id).standing(), at.str());
}

std::optional<std::string> keep_strangers_commit(const JobContext& job, const std::string& git_id, const git::TreeLook& look,
                                                 const std::string& trash_id) {
  if (!look.head || look.branch || stands_where_it_was_left(job, git_id, *look.head)) return std::nullopt;
  return keep_lone_head(job, git_id, trash_id);
}

Cleaned clean_idle(const JobContext& job, const git::Git& slot, const std::string& git_id, const core::Lease& lease,
                   const std::string& trash_id) {
  const std::string entry = job.entry(git_id).entry.string();
  core::Lease nobody;
  nobody.id = lease.id;
  nobody.full_sha = lease.full_sha;
  Cleaned cleaned;
  const auto say = [&](const std::string& what) { cleaned.warnings.push_back(job.grant.slot.str() + " " + what); };
  or_quarantine([&] { (void)keep_operations(job, git_id, nobody, trash_id); });
  git::clear_operations(entry);
  if (const auto said = mend_index(job, slot)) cleaned.warnings.push_back(*said);
  const auto left_out = git::clear_hiding_bits(slot, entry);  // set while nobody held it, they would hide what was written
  auto look = git::look(slot, git::Untracked::all, true);
  nobody.full_sha = look.head.value_or(lease.full_sha);
  git::Stamps as_saved;
  or_quarantine([&] {
    if (const auto kept = keep_strangers_commit(job, git_id, look, trash_id))
      say("had a commit on no branch though nobody held it; it is kept as " + *kept);
    if (const auto kept =
            save_before_reset(job, slot, git_id, nobody, look, {}, nobody.full_sha, core::Dirty::save, trash_id, &as_saved)) {
      say("had changes though nobody held it; they are kept as " + *kept);
    }
  });
  if (look.branch) say("stood on branch " + *look.branch + " though nobody held it; the branch stays where it is");
  if (!look.changed.empty() || !look.head || look.branch || git::is_sparse(entry) || !left_out.empty()) {
    FAILPOINT("acquire.strangers-work-kept");
    git::no_longer_left_out(slot, left_out);
    reset_as_saved(job, slot, git_id, look, nobody.full_sha, as_saved, trash_id);
    look = git::look(slot, git::Untracked::all, true);
    if (!look.changed.empty()) {
      or_quarantine([&] {
        for (auto& said : set_submodules_aside(job, slot, {}, trash_id)) cleaned.warnings.push_back(std::move(said));
      });
      look = git::look(slot, git::Untracked::all, true);
    }
  }
  cleaned.head = look.head;
  cleaned.untracked = std::move(look.untracked);
  for (auto& file : git::files_in_unfilled(slot)) cleaned.untracked.push_back(std::move(file));
  return cleaned;
}

std::optional<std::string> mend_index(const JobContext& job, const git::Git& slot) {
  const auto aside = git::mend_index(slot);
  if (!aside) return std::nullopt;
  std::string said = "the index of " + job.grant.slot.str() +
                     " could not be read, and was made anew from HEAD; it is kept as " + aside->string();
  log_warn(said);
  return said;
}

}  // namespace wtpool::jobs
