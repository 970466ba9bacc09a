// The sentences that refusals say, in one place: what was asked, on what, why not, and the command that helps.
#pragma once

#include "daemon/core/state/host.hpp"

namespace wtpool::core::say {

[[nodiscard]] std::string age(std::int64_t seconds_old);  // "45s", "3m", "2h", "5d"

[[nodiscard]] Error pool_unknown(const Host& host, const PoolKey& key);
[[nodiscard]] Error no_pools();
[[nodiscard]] Error pool_ambiguous(const Host& host);
[[nodiscard]] Error pool_unavailable(const PoolKey& key, const std::string& why);
[[nodiscard]] Error name_is_slot_id(const std::string& name);
[[nodiscard]] Error nothing_named();
[[nodiscard]] Error group_wanted(const Pool& pool, const std::string& name);
[[nodiscard]] Error group_unknown(const Pool& pool, const std::string& group);
[[nodiscard]] Error group_refused(const Pool& pool, const std::string& group);
[[nodiscard]] Error name_held(const Pool& pool, const Slot& slot, Now now);
[[nodiscard]] Error sha_held(const Pool& pool, const std::string& name, const Slot& slot, const Oid& commit, Now now);
[[nodiscard]] Error commit_unknown(const Pool& pool, const std::string& commit);
[[nodiscard]] Error fetch_failed(const Pool& pool, const std::optional<std::string>& commit, const Error& why);
[[nodiscard]] std::string acquire_at(const Pool& pool, const std::string& name, const std::string& commit);  // the command
// `kept_as`: the trash entry that has what there was of that NAME.
[[nodiscard]] Error nothing_to_resume(const Pool& pool, const std::string& name, const std::optional<std::string>& kept_as);
[[nodiscard]] Error branch_exists(const Pool& pool, const std::string& name);
[[nodiscard]] Error branch_conflict(const Pool& pool, const std::string& name, const std::string& other);
[[nodiscard]] Error branch_checked_out(const Pool& pool, const std::string& name, const std::string& where);
// Nothing to be had: exit 4 where every slot is held, 12 where some are quarantined.
[[nodiscard]] Error at_capacity(const Pool& pool, const std::string& name, const std::optional<std::string>& group, Now now);
[[nodiscard]] Error contended(const Pool& pool, const std::string& name, const std::string& why);
[[nodiscard]] Error busy(const Pool& pool, const Slot& slot, const std::string& being);  // repaired, removed
[[nodiscard]] Error queue_full(const Pool& pool, std::size_t limit);
[[nodiscard]] Error timed_out(const Pool& pool, const std::optional<std::string>& group);  // waiting for a slot
// Waiting for the slot's commit; `limit` is the time or the deadline.
[[nodiscard]] Error timed_out_on_commit(const Pool& pool, const Slot& slot, const std::string& limit, Now now);
[[nodiscard]] Error in_no_slot(const Pool& pool, const std::string& verb);  // the current directory
[[nodiscard]] Error in_no_pool(const std::string& path);                    // of any pool
[[nodiscard]] Error path_in_no_slot(const Pool& pool, const std::string& verb, const std::string& path);
[[nodiscard]] Error path_not_held(const Pool& pool, const Slot& slot, const std::string& verb, const std::string& path);
// Of a NAME that nobody holds: those that are held and much like it, as a question; empty where there is none.
[[nodiscard]] std::string near_names(const Pool& pool, const std::string& name);
[[nodiscard]] Error not_held(const Pool& pool, const std::string& what);
[[nodiscard]] Error lease_lost(const std::string& what);
[[nodiscard]] Error quarantined(const Pool& pool, const Slot& slot);
[[nodiscard]] Error slot_unknown(const Pool& pool, const std::string& slot);
[[nodiscard]] Error slot_held(const Pool& pool, const Slot& slot, Now now);
[[nodiscard]] std::string work_kept(const Slot& slot, const std::string& trash_id, const std::string& where);
[[nodiscard]] Error shutting_down();

}  // namespace wtpool::core::say
