// What the disk says of a pool's slots, by plain reads.
#pragma once

#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// The slot's facts, by plain reads; touches nothing.
[[nodiscard]] core::SlotFacts read_facts(const ServedPool& pool, const SlotId& slot, const std::vector<git::Entry>& entries);
// Every slot that the pool has anything of: directory, entry, intent or quarantine record.
[[nodiscard]] std::vector<SlotId> slots_on_disk(const ServedPool& pool, const std::vector<git::Entry>& entries);

// Nothing is left of the slot but its worktree entry: no marker, no intent, and no directory, or, beside a torn entry, one with
// nothing but its .git file in it, which is where a killed `worktree add` stopped.
[[nodiscard]] bool only_entry_left(const ServedPool& pool, const core::SlotFacts& facts);

// Torn entries that name no worktree but are called like a slot of this pool that is not there: left by its own git.
[[nodiscard]] std::vector<std::string> nameless_entries(const ServedPool& pool, const std::vector<git::Entry>& entries);

}  // namespace wtpool::jobs
