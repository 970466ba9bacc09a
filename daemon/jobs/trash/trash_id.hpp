// Under which id somebody's work is kept, and what is written before it is.
#pragma once

#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/keeping_room.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

[[nodiscard]] std::string new_trash_id(const LeaseId& lease);
// One that this pool has no record of yet: a lease that replaced a branch this very second has kept something already.
[[nodiscard]] std::string unused_trash_id(const JobContext& job, const LeaseId& lease);
// Whether `id` was made for that lease.
[[nodiscard]] bool is_trash_of(const LeaseId& lease, const std::string& id);

// `wanted`, or another one if `work` stands under that already.
[[nodiscard]] std::string free_trash_id(const git::Git& git, const std::string& wanted, const LeaseId& lease);
// Whether two commits of stash shape keep the same.
[[nodiscard]] bool same_work(const git::Git& git, const std::string& one, const std::string& other);

// Where that entry's refs and files are, for a person: of the two, what there is.
[[nodiscard]] std::string where_kept(const JobContext& job, const std::string& id);

// Writes <ID>.yaml unless it stands; to be done before the first ref or file of that entry.
void record_trash(const JobContext& job, const std::string& id, const std::string& name);

void record_trash(const ServedPool& pool, const SlotId& slot, const std::string& id, const std::string& name);

// What is behind `tips`, and was made since the lease began at `since`, is whole and durable, and no gc takes it away, as long
// as the pack is held; throws quarantine when it is not whole. To be done before a ref keeps it.
[[nodiscard]] git::HeldPack keep_objects(const git::Git& git, const std::vector<Oid>& tips, const Oid& since);
// Moves refs so that they lead to what `pack` holds, and looks whether it is there still. Throws host_fault when it is not: then
// what was to be kept must not be destroyed, and is kept again.
void commit_kept(const git::RefTransaction& transaction, const git::Git& source, git::HeldPack pack);

}  // namespace wtpool::jobs
