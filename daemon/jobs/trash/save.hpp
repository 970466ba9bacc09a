// The parts that several jobs share: keeping work in the trash, ending a lease's refs, making a slot's tree clean again.
// Each takes a slot whose lock the job holds; the place must have been proven unless it says otherwise.
#pragma once

#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

[[nodiscard]] std::string new_trash_id(const LeaseId& lease);
// One that this pool has no record of yet: a lease that replaced a branch this very second has kept something already.
[[nodiscard]] std::string unused_trash_id(const JobContext& job, const LeaseId& lease);

// `wanted`, or another one if `work` stands under that already.
[[nodiscard]] std::string free_trash_id(const git::Git& git, const std::string& wanted, const LeaseId& lease);
// Whether two commits of stash shape keep the same.
[[nodiscard]] bool same_work(const git::Git& git, const std::string& one, const std::string& other);

// Where that entry's refs and files are, for a person: of the two, what there is.
[[nodiscard]] std::string where_kept(const JobContext& job, const std::string& id);

// Writes <ID>.yaml unless it stands; to be done before the first ref or file of that entry.
void record_trash(const JobContext& job, const std::string& id, const std::string& name);
void record_trash(const ServedPool& pool, const SlotId& slot, const std::string& id, const std::string& name);

// What is behind `tips`, and was made since the lease began at `since`, is whole and durable when this returns; throws
// quarantine when it is not whole. To be done before a ref keeps it, and before its last other copy is destroyed.
void keep_objects(const git::Git& git, const std::vector<Oid>& tips, const Oid& since);

// The refs' half of the end of a lease (see docs/on-disk-format.md): HEAD detached at its commit, what moved kept under
// `trash_id`, the branch deleted. Needs no directory and no sound place: it runs in the source. Safe to repeat, as `again`:
// NAME may be another lease's since the first time, or a branch of somebody's, which is then left alone; and what was kept is
// never overwritten, but more of it kept under another id. `first` runs once, and ends before anything is changed.
struct SettledRefs {
  bool kept = false;
  std::string trash_id;  // under which it is kept, if it is
  std::vector<std::string> warnings;
};
enum class Settling { first, again };
[[nodiscard]] SettledRefs settle_refs(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                      const std::string& trash_id, const disk::SlotLock& lock, Settling which,
                                      std::function<void()> first = {});
[[nodiscard]] SettledRefs settle_refs(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                      const std::string& trash_id, const disk::SlotLock& lock,
                                      std::function<void()> first = {});

// Whether NAME is another lease's by now, of any pool of the source. It is free as soon as a release was answered or a daemon
// has died in an acquire, while the marker still names it; who has it since then has a marker that says so before there is a
// branch of his. One that cannot be read may be his.
[[nodiscard]] bool is_given_away(const JobContext& job, const std::string& git_id, const core::Lease& lease);

// Saves tracked changes (and `untracked`, which the caller is about to remove) under `trash_id`, or, where that id already
// keeps other work, under a new one. Nothing when there was nothing, or when it equals the slot's last save.
[[nodiscard]] std::optional<std::string> save_dirt(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                                   const core::Lease& lease, const git::TreeLook& look,
                                                   const std::vector<std::string>& untracked, const std::string& trash_id);

// Of files that came to light when the rest was kept as `kept` already, if there was any: into that entry, where it is of this
// lease and has room for them; else save_dirt.
[[nodiscard]] std::optional<std::string> save_late(const JobContext& job, const git::Git& slot, const std::string& git_id,
                                                   const core::Lease& lease, const git::TreeLook& look,
                                                   const std::vector<std::string>& untracked,
                                                   const std::optional<std::string>& kept, const std::string& trash_id);

// Before a forced checkout of `to`: save_dirt of what would be lost by it as well, unless `dirty` is discard; a nested
// repository in the way is set aside whole either way.
[[nodiscard]] std::optional<std::string> save_before_reset(const JobContext& job, const git::Git& slot,
                                                           const std::string& git_id, const core::Lease& lease,
                                                           const git::TreeLook& look, std::vector<std::string> untracked,
                                                           const Oid& to, core::Dirty dirty, const std::string& trash_id);

// Before an entry is removed whose directory is gone, or is not its own: what was staged in it (`work`) and what git itself had
// stashed stand there alone, and are kept. An index that git can make nothing of is kept as a file. True when there was any.
[[nodiscard]] bool save_staged(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                               const std::string& trash_id, const disk::SlotLock& lock);
// What a half-done rebase or merge set aside, which is work; before git::clear_operations, or with its entry. True when there
// was any. Safe to repeat.
bool keep_autostashes(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id);
// Would a commit be lost with the worktree whose HEAD stands at it: does no ref that all worktrees share lead there?
[[nodiscard]] bool is_lone(const git::Git& source, const Oid& commit);
// Likewise: the commit at which HEAD of the entry stands is kept as `head`, unless a ref leads to it; that another worktree's
// HEAD does keeps nothing. Under which trash id, if it was kept. Reads HEAD of a torn entry too.
std::optional<std::string> keep_lone_head(const JobContext& job, const std::string& git_id, const std::string& trash_id);

// An index that git cannot read, as a power loss leaves one that was not synced, is built anew from HEAD; the files stay as
// they are, and the damaged one is kept. What to tell whoever has or had the slot, when that was done.
std::optional<std::string> mend_index(const JobContext& job, const git::Git& slot);

// Step 6 of a release: from whatever the holder left to an idle tree; the marker stays. Throws when work could not be kept.
[[nodiscard]] core::done::Idle recycle_tree(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                                            core::Dirty dirty, const std::string& trash_id, const disk::SlotLock& lock);

// Remembers what stays untracked, for the next holder's dirt to be told apart.
void remember_untracked(const JobContext& job, const std::string& git_id, const std::vector<std::string>& untracked);
// How many of `untracked` are not remembered, or differ.
[[nodiscard]] std::size_t count_new_untracked(const JobContext& job, const std::string& git_id,
                                              const std::vector<std::string>& untracked);

// Takes the lock or throws slot_busy.
[[nodiscard]] disk::SlotLock take_slot_lock(const JobContext& job);
// Proves the place or throws quarantine, naming why.
void prove_place(const JobContext& job, const std::string& git_id);
// The same of a slot that is idle in memory: no marker may stand in it.
void prove_idle(const JobContext& job, const std::string& git_id);
// Moves what stands untracked where `to` has files into the trash. The trash id, if anything was moved.
[[nodiscard]] std::optional<std::string> clear_the_way(const JobContext& job, const git::Git& slot, const Oid& from,
                                                       const Oid& to, const std::string& trash_id, const std::string& name);

// A slot that is being removed is renamed to this and its id, below .meta, before it is deleted.
inline constexpr std::string_view kRemoving = "removing-";

// Takes away what is left of a slot that has no directory and no marker: its entry; what was staged, and commits of its HEAD
// that no ref leads to, are kept. The trash id, if anything was.
std::optional<std::string> forget_slot(const JobContext& job, const core::SlotFacts& facts, const disk::SlotLock& lock);

// The slot's facts, by plain reads; touches nothing.
[[nodiscard]] core::SlotFacts read_facts(const ServedPool& pool, const SlotId& slot, const std::vector<git::Entry>& entries);
// Every slot that the pool has anything of: directory, entry, intent or quarantine record.
[[nodiscard]] std::vector<SlotId> slots_on_disk(const ServedPool& pool, const std::vector<git::Entry>& entries);

}  // namespace wtpool::jobs
