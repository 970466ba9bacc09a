// Steps 5 to 8 of an acquire, each beside its undo.
#include "daemon/jobs/tasks/acquire.hpp"

#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/writing_rules.hpp"
#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/source/missed_filters.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/source/worktree_config.hpp"
#include "daemon/git/tree/as_written.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/mounts.hpp"
#include "daemon/jobs/slot/source_away.hpp"
#include "daemon/jobs/slot/undo_steps.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "daemon/jobs/steps/grafts.hpp"
#include "daemon/jobs/steps/guards.hpp"
#include "daemon/jobs/steps/half_checkout.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/include.hpp"
#include "daemon/jobs/steps/slot_directory.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/tasks/acquire/branch.hpp"
#include "daemon/jobs/tasks/acquire/fast_path.hpp"
#include "daemon/jobs/tasks/acquire/free_space.hpp"
#include "daemon/jobs/tasks/hooks.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

using core::job::BranchMode;

class Acquisition {
 public:
  Acquisition(JobContext& job, const core::job::Acquire& spec)
      : job_(job), spec_(spec), lock_(take_slot_lock(job)), lease_(spec.lease), branch_("refs/heads/" + spec.lease.name) {
    // The marker says from the start where the branch begins, so that a recovery can tell whether it is this acquire's own.
    lease_.branch_base = resumes() ? std::nullopt : std::optional(lease_.full_sha);
  }

  core::done::Acquired run() {
    try {
      look_for_branch();
      check_reserve(job_, lease_.name);
      if (!spec_.fresh) refuse_mounts(job_, core::Fault::slot_busy);
      if (spec_.prepares) check_way();
      FAILPOINT("acquire.begun");
      spec_.fresh ? make_fresh() : prepare_idle();
      job_.check_stop();
      attach_branch();
      job_.check_stop();
      if (spec_.fresh) include();
      graft();
      return hold();
    } catch (const FaultError& failed) {
      throw after_roll_back(failed);
    } catch (const core::Error& error) {
      throw after_roll_back({fault_of(error), error});
    } catch (const std::exception& error) {
      throw after_roll_back(
          {core::Fault::host_fault, {core::ErrorKind::internal, std::string("internal error: ") + error.what()}});
    }
  }

 private:
  // Whoever wants to freeze the slot is told before the work, not after it.
  void check_way() const {
    const HowToCreate how = how_to_create(*job_.pool);
    if (how.way == Way::checkout)
      fail(core::Fault::source_fault, core::ErrorKind::io_error, cannot_freeze(*job_.pool, how.why).message,
           cannot_freeze(*job_.pool, how.why).hint);
  }

  // Nothing of a commit stands in its directory yet.
  [[nodiscard]] bool is_bare() const { return spec_.fresh && !filled_; }
  [[nodiscard]] bool resumes() const { return spec_.mode == BranchMode::resume && spec_.branch_tip; }

  // There may have been hours of waiting since it was looked for. Of a new branch git itself says whether it can be made.
  void look_for_branch() {
    if (spec_.mode == BranchMode::create) return;
    refuse_checked_out();
    branch_tip_ = git::ids_of(job_.source_git(), {branch_}).front();
    if (!resumes()) return;
    if (!branch_tip_) {
      fail(core::Fault::source_fault, core::ErrorKind::commit_unknown,
           "branch '" + lease_.name + "' was there when it was asked for, and is gone");
    }
    lease_.full_sha = *branch_tip_;
  }

  void refuse_checked_out(const std::string& but_here = {}) const {
    const auto where = git::checked_out_at(job_.pool->source, lease_.name, but_here);
    if (!where) return;
    fail(core::Fault::source_fault, core::ErrorKind::branch_exists, "branch '" + lease_.name + "' is checked out at " + *where,
         "wtpool acquire ANOTHER --commit " + proto::shell_word(lease_.name) + " --pool " +
             proto::shell_word(job_.pool->key.str()));
  }

  // What cannot be taken back now is left as a kill would leave it, for a recovery; nor can it be told without its source
  // whether it was.
  FaultError after_roll_back(FaultError failed) {
    short_way_.reset();
    const bool begun = !steps_.empty();
    if (begun && source_away(*job_.pool)) {
      failed.halfway = true;
      return failed;
    }
    // A git that was ended leaves its locks; nobody else is in this slot while the lock is ours.
    try {
      if (!git_id_.empty()) git::remove_stale_locks(job_.entry(git_id_).entry.string());
    } catch (const core::Error& error) {
      log_warn("roll-back: " + error.message);  // what is undone next may do without; the next look at the slot heals them
    }
    FAILPOINT("acquire.rolling-back");
    const auto stuck = steps_.roll_back();
    FAILPOINT("acquire.rolled-back");
    if (stuck) log_warn("roll-back in " + job_.grant.slot.str() + ": " + *stuck + "; it is recovered from");
    failed.halfway = stuck.has_value();
    return failed;
  }

  // Of a source that has gone, nothing seems to be left.
  void still_there() const {
    if (const auto away = source_away(*job_.pool)) throw *away;
  }

  core::Marker marker(core::MarkerState state) const {
    core::Marker made;
    made.lease = lease_;
    made.state = state;
    made.fresh = state == core::MarkerState::acquiring && spec_.fresh;
    if (state == core::MarkerState::acquiring && spec_.mode == BranchMode::replace && branch_tip_) made.trash_id = trash_id();
    return made;
  }

  const std::string& trash_id() const {
    if (trash_id_.empty()) trash_id_ = new_trash_id(lease_.id);
    return trash_id_;
  }

  void write_acquiring_marker() {
    (void)disk::MarkerFile(job_.entry(git_id_).marker()).write(marker(core::MarkerState::acquiring));
  }

  // ---- an idle slot ----
  void prepare_idle() {
    prove_idle(job_, job_.grant.git_id);
    git_id_ = job_.grant.git_id;  // only now is it this slot's, for the roll-back too
    const auto entry = job_.entry(git_id_);
    git::remove_stale_locks(entry.entry.string());
    remove_staged(entry.own());
    const auto proven = proven_at();  // asked in any case: it takes the seal
    rules_ = git::writing_rules(job_.source_git());
    const bool other_rules = written_by_other_rules(job_, git_id_, rules_);
    head_ = other_rules ? std::nullopt : proven;
    if (head_ && goes_short()) short_way_ = ShortWay::stage(job_, git_id_, *head_, marker(core::MarkerState::held));
    steps_.done("remove the marker", [this, entry] {
      (void)disk::MarkerFile(entry.marker()).remove();
      FAILPOINT("acquire.marker-gone");
      still_there();
    });
    short_way_ ? stage_acquiring_marker() : write_acquiring_marker();
    FAILPOINT("acquire.marker-written");
    git::restore_private_config(entry.entry.string(), entry.pristine().string());
    if (head_) {
      git::clear_operations(entry.entry.string());
      // What the last recycle wrote down.
      const auto known = disk::read_untracked(job_.entry(git_id_).untracked());
      warn_of_untracked(known ? known->size() : 0);
      return;
    }
    job_.progress("verifying");
    Cleaned cleaned = clean_idle(job_, job_.slot_git(git_id_, lock_), git_id_, lease_, trash_id());
    warnings_.insert(warnings_.end(), cleaned.warnings.begin(), cleaned.warnings.end());
    head_ = cleaned.head;
    if (other_rules) {
      (void)git::write_all_again(job_.slot_git(git_id_, lock_));
      remember_rules(job_, git_id_, rules_);
    }
    warn_of_untracked(cleaned.untracked.size());
    remember_untracked(job_, git_id_, cleaned.untracked);
  }

  // Where the tree is known to stand clean without a look: the recycle that ended a moment ago looked, or a seal says so. The
  // seal ends either way, since the slot is changed from here on.
  std::optional<Oid> proven_at() {
    std::optional<Oid> sealed;
    if (job_.seals != nullptr && (spec_.sealed || spec_.verified || spec_.verify)) {
      if (auto seal = job_.seals->take({job_.pool->key, job_.grant.slot})) {
        if (spec_.sealed && seal->intact()) sealed = seal->at();
        job_.seals->retire(std::move(seal));
      }
    }
    if (spec_.verify) return std::nullopt;
    const auto proven = spec_.verified ? spec_.verified : sealed;
    if (!proven) return std::nullopt;
    const auto head = git::read_head(job_.pool->place.source.str(), git_id_);
    return head.oid == proven && !head.branch ? proven : std::nullopt;
  }

  // May this be done without git? Where the two commits have the same tree, nothing in the slot but HEAD has to change.
  bool goes_short() {
    if (is_bare() || spec_.mode != BranchMode::create || !job_.pool->helpers) return false;
    const auto trees = git::ids_of(job_.source_git(), {lease_.full_sha.str() + "^{tree}", head_->str() + "^{tree}"});
    tree_ = trees[0];
    return trees[0] && trees[0] == trees[1];
  }

  void stage_acquiring_marker() {
    const disk::MarkerFile file(job_.entry(git_id_).marker());
    acquiring_.emplace(file.stage(marker(core::MarkerState::acquiring)));
    short_way_->sync(&*acquiring_);
    acquiring_->rename();
  }

  void warn_of_untracked(std::size_t count) {
    if (count == 0) return;
    warnings_.push_back(std::to_string(count) + (count == 1 ? " untracked file" : " untracked files") +
                        " of earlier holders in " + job_.grant.slot.str());
  }

  // ---- a fresh slot ----
  void make_fresh() {
    const auto& files = job_.pool->files;
    const auto slot = job_.slot_path();
    const std::string& common = job_.pool->place.source.str();
    const bool existed = refuse_ghost(job_);
    (void)restore_own_entries(*job_.pool);
    move_torn_entry_aside(job_);

    const auto intent_file = files.intent(job_.grant.slot);
    steps_.done("remove the intent", [intent_file] { unlink_durably(intent_file); });
    disk::Intent intent;
    intent.marker = marker(core::MarkerState::acquiring);
    intent.entries = git::entry_names(common);
    intent.directory_existed = existed;
    disk::write_intent(intent_file, intent);
    FAILPOINT("acquire.intent-written");
    const std::vector<std::string> before = intent.entries;

    // The entry goes last, and with it the marker or what the intent is there for: a kill before is recovered from.
    steps_.done("remove the new worktree", [this, common, existed, before] {
      take_directory_back(job_, existed);
      FAILPOINT("acquire.directory-taken-back");
      if (git_id_.empty()) {
        remove_new_entries(job_, before);
      } else {
        git::remove_entry(common, git_id_);
      }
      still_there();
    });
    job_.progress("creating");
    const auto from = template_for(job_, lease_.group);
    git_id_ = git::add_worktree(job_.source_git(&lock_), slot, from ? from->record.commit : lease_.full_sha,
                                "wtpool " + job_.pool->key.str());
    FAILPOINT("acquire.worktree-added");
    const auto entry = job_.entry(git_id_);
    prove_place(job_, git_id_);
    make_directories(entry.own(), 0755, true);
    if (job_.pool->source.worktree_config) git::not_bare(job_.source_git(&lock_), entry.entry.string());
    git::keep_private_config(entry.entry.string(), entry.pristine().string());
    write_acquiring_marker();
    FAILPOINT("acquire.fresh-marker-written");
    unlink_durably(intent_file);
    FAILPOINT("acquire.intent-removed");
    job_.report(core::event::WriterReleased{job_.grant.job, git_id_});
    creation_.created = "checkout";
    if (auto why = say_once_why_checkout(*job_.pool)) warnings_.push_back(std::move(*why));
    if (from) fill(*from);
  }

  // From here on it is an idle slot that is proven clean at the template's commit.
  void fill(const Template& from) {
    job_.progress("cloning");
    filled_ = fill_from_template(job_, from, git_id_, misguarded(job_.source_git(), from, lease_.full_sha), creation_);
    if (!filled_) return;
    head_ = from.record.commit;
    remember_rules(job_, git_id_, git::writing_rules(job_.source_git()));
    FAILPOINT("acquire.slot-filled");
    for (const auto& left : creation_.left_out)
      warnings_.push_back(left.path + " of the template is left out: its " + left.reason + " is another one at this commit");
  }

  // ---- branch and HEAD ----
  void attach_branch() {
    const git::Git source = job_.source_git(&lock_);
    if (short_way_ && go_short_way(source)) return;
    (void)restore_own_entries(*job_.pool);  // a git that makes or switches branches looks at all worktrees
    git::Git slot = job_.slot_git(git_id_, lock_);
    if (is_bare()) {
      job_.progress("checkout", 0);
      auto context = slot.context();
      context.on_progress = [this](std::string_view text) { report_checkout(text); };
      slot = git::Git(slot.place(), std::move(context));
    } else if (head_) {
      if (const auto kept = clear_the_way(job_, slot, *head_, lease_.full_sha, trash_id(), lease_.name, git_id_, lease_.id)) {
        FAILPOINT("acquire.way-cleared");
        warnings_.push_back("untracked files were in the way of the commit; they are kept as " + *kept);
      }
    }
    if (spec_.mode == BranchMode::replace && branch_tip_) set_old_tip_aside(source);
    if (!spec_.fresh && head_) {
      steps_.done("bring the tree back to where it was", [this] {
        const JobContext undo = undo_job(job_);
        bring_back(undo, undo.slot_git(git_id_, lock_), *head_, lease_);
      });
    }
    if (resumes()) {
      resume(source, slot);
      return;
    }
    if (!is_bare() && short_way_to(slot) && go_short_way(source)) return;
    steps_.done("remove branch " + lease_.name, [this, source] { remove_made_branch(undo_git(source)); });
    try {
      is_bare() ? git::checkout_fresh(slot, lease_.name, lease_.full_sha)
                : git::switch_to_new(slot, lease_.name, lease_.full_sha);
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::branch_exists) branch_is_anothers();
      throw;
    }
    FAILPOINT("acquire.branch-made");
    if (is_bare()) remember_rules(job_, git_id_, git::writing_rules(source));
    if (is_bare()) name_missed_drivers(source);
    reused_ = head_ == std::optional<Oid>(lease_.full_sha);
  }

  // A pool whose config says which drivers may run has said so.
  void name_missed_drivers(const git::Git& source) {
    if (job_.pool->config.filters != core::PoolConfig{}.filters) return;
    for (const auto& driver : git::drivers_missed(source, lease_.full_sha)) {
      warnings_.push_back("files with the filter '" + printable(driver) +
                          "' are as git stores them: it is not among the filters of " + job_.pool->files.config().string() +
                          " that may run");
    }
  }

  // Brings the tree to the commit and stages the rest; false: git has to do it all.
  bool short_way_to(const git::Git& slot) {
    if (acquiring_ || !head_ || spec_.mode != BranchMode::create || !job_.pool->helpers) return false;
    const bool stays = goes_short();
    const auto stands = stays ? head_ : git::bring_tree(slot, *head_, lease_.full_sha);
    if (!stands) return false;
    FAILPOINT("acquire.tree-brought");
    short_way_ = ShortWay::stage(job_, git_id_, *stands, marker(core::MarkerState::held));
    if (!short_way_) return false;
    const Fd index = stays && !filled_ ? Fd() : git::open_index(slot);  // no lease without an index on the disk
    short_way_->sync(nullptr, index);
    return true;
  }

  bool go_short_way(const git::Git& source) {
    // The marker is durable before there is a branch: else a power cut could leave a branch that nobody knows of.
    const auto sync_marker = [this] {
      if (acquiring_) (void)acquiring_->sync();
    };
    if (!short_way_->attach(
            source, steps_, [this, source] { remove_made_branch(undo_git(source)); }, sync_marker)) {
      short_way_.reset();
      return false;
    }
    reused_ = head_ == std::optional<Oid>(lease_.full_sha);
    return true;
  }

  // Nothing of a warm slot is removed for it.
  void name_stale() {
    if (spec_.fresh || !head_) return;
    creation_.stale = stale_paths(job_, lease_.group, *head_, lease_.full_sha);
    for (const auto& path : creation_.stale)
      warnings_.push_back(printable(path) + " in " + job_.grant.slot.str() +
                          " is stale: its lockfile is another one at this commit");
  }

  // Made by somebody since it was looked for, maybe at the very commit: not to be taken for what this acquire made.
  void branch_is_anothers() {
    branch_is_others_ = true;
    lease_.branch_base.reset();
    write_acquiring_marker();
  }

  void resume(const git::Git& source, const git::Git& slot) {
    steps_.done("detach HEAD", [this, source] {
      const auto& common = job_.pool->place.source.str();
      if (git::read_head(common, git_id_).branch) detach_again(undo_git(source), git_id_, lease_.full_sha);
    });
    try {
      git::switch_to_existing(slot, lease_.name, is_bare());
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::git_failed) refuse_checked_out(git_id_);
      throw;
    }
    // Its own tip, wherever that has moved just now.
    const auto head = git::read_head(job_.pool->place.source.str(), git_id_);
    if (head.branch == lease_.name && head.oid) lease_.full_sha = *head.oid;
    if (spec_.fresh) remember_rules(job_, git_id_, git::writing_rules(source));
    FAILPOINT("acquire.branch-resumed");
    reused_ = head_ == std::optional<Oid>(lease_.full_sha);
  }

  void set_old_tip_aside(const git::Git& source) {
    record_trash(job_, trash_id(), lease_.name);
    replace_branch(source, steps_, lease_.name, *branch_tip_, trash_id());
    FAILPOINT("acquire.old-branch-aside");
    warnings_.push_back("the old branch " + lease_.name + " is kept as " + trash_id());
  }

  void remove_made_branch(const git::Git& source) const { take_branch_back(job_, source, git_id_, lease_, branch_is_others_); }

  void report_checkout(std::string_view text) const {
    if (const auto percent = git::percent_in(text)) job_.progress("checkout", percent);
  }

  // Nothing to take back: what is in a fresh slot goes with it.
  void include() {
    const auto warnings = bring_included(job_, git_id_, lock_);
    warnings_.insert(warnings_.end(), warnings.begin(), warnings.end());
  }

  // ---- the store ----
  // Nothing to take back: grafts of an idle slot are what its next holder's acquire begins with.
  void graft() {
    const git::Git slot = job_.slot_git(git_id_, lock_);
    DepsPlaced placed = bring_grafts(job_, spec_.deps, slot, lease_);
    warnings_.insert(warnings_.end(), placed.warnings.begin(), placed.warnings.end());
    missing_deps_ = std::move(placed.missing);
    FAILPOINT("acquire.grafted");
  }

  // ---- the end ----
  core::done::Acquired hold() {
    // A git that says it did and did not must not hand out a slot that stands elsewhere.
    const auto head = git::read_head(job_.pool->place.source.str(), git_id_);
    if (head.branch != lease_.name || head.oid != lease_.full_sha) {
      fail(core::Fault::slot_fault, core::ErrorKind::git_failed,
           "git did not bring slot " + job_.grant.slot.str() + " to branch " + lease_.name + " at " + lease_.full_sha.str());
    }
    if (!tree_) tree_ = git::ids_of(job_.source_git(&lock_), {lease_.full_sha.str() + "^{tree}"}).front();
    name_stale();
    has_hooks_ = may_have_hooks(job_, lease_.full_sha);
    job_.check_stop();
    const auto durable =
        short_way_ ? short_way_->hold() : disk::MarkerFile(job_.entry(git_id_).marker()).write(marker(core::MarkerState::held));
    core::done::Acquired done{durable,       git_id_,   lease_,    tree_.value_or(Oid{}), reused_, warnings_,
                              missing_deps_, creation_, has_hooks_};
    FAILPOINT("acquire.held");
    steps_.commit();
    return done;
  }

  JobContext& job_;
  const core::job::Acquire& spec_;
  disk::SlotLock lock_;
  core::Lease lease_;
  std::string branch_;
  std::optional<Oid> branch_tip_;  // where an existing one stands now
  std::string git_id_;
  mutable std::string trash_id_;
  std::optional<Oid> head_;  // where the idle slot stands, its tree clean
  std::optional<Oid> tree_;  // of the lease's commit
  std::unique_ptr<ShortWay> short_way_;
  std::optional<disk::StagedMarker> acquiring_;  // in its place, not synced yet
  std::vector<std::string> warnings_;
  std::string rules_;  // by which git writes files now
  std::vector<std::string> missing_deps_;
  proto::Creation creation_;
  bool filled_ = false;  // from a template
  bool reused_ = false;
  bool has_hooks_ = false;
  bool branch_is_others_ = false;  // made by somebody since it was looked for: not for the undo to remove
  Steps steps_;
};

}  // namespace

core::JobDone acquire(JobContext& job, const core::job::Acquire& spec) { return Acquisition(job, spec).run(); }

}  // namespace wtpool::jobs
