#include "daemon/core/state/sentences.hpp"

#include <algorithm>
#include <array>

#include "proto/shell_word.hpp"

namespace wtpool::core::say {
namespace {

std::string in_pool(const Pool& pool) { return "pool '" + pool.key.str() + "'"; }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Error with(Error error, const Pool& pool, const Slot* slot = nullptr, const std::string& name = {}) {
  error.pool = pool.key.str();
  if (slot != nullptr) error.slot = slot->id.str();
  error.name = name;
  return error;
}

std::int64_t held_for(const Slot& slot, Now now) {
  return slot.lease ? std::max<std::int64_t>(0, now.wall - slot.lease->started_at) : 0;
}

// --pool stands last, so that the command is easy to read and right from any directory.
std::string of_pool(const Pool& pool) { return " --pool " + proto::shell_word(pool.key.str()); }

std::string release_command(const Pool& pool, const std::string& name) {
  return "wtpool release " + proto::shell_word(name) + of_pool(pool);
}

std::string repair_command(const Pool& pool, const Slot& slot) { return "wtpool repair " + slot.id.str() + of_pool(pool); }

std::vector<const Slot*> quarantined_slots(const Pool& pool, const std::optional<std::string>& group) {
  std::vector<const Slot*> found;
  for (const Slot* slot : slots_in_order(pool)) {
    if (slot->group == group && slot->phase == Phase::quarantined) found.push_back(slot);
  }
  return found;
}

// Columns of a width, two spaces apart; names count by character, not by byte.
std::vector<std::string> table_of(const std::vector<std::array<std::string, 4>>& rows) {
  const auto width = [](const std::string& cell) {
    return std::count_if(cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  };
  std::array<std::ptrdiff_t, 4> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      line += row[i] + std::string(static_cast<std::size_t>(widths[i] - width(row[i]) + 2), ' ');
    }
    lines.push_back(line + row.back());
  }
  return lines;
}

std::string kind_text(LeaseKind kind) {
  switch (kind) {
    case LeaseKind::durable:
      return "durable";
    case LeaseKind::connection:
      return "connection";
    case LeaseKind::process:
      return "process";
  }
  return {};
}

}  // namespace

std::string age(std::int64_t seconds_old) {
  if (seconds_old < 120) return std::to_string(seconds_old) + "s";
  if (seconds_old < 2 * 3600) return std::to_string(seconds_old / 60) + "m";
  if (seconds_old < 2 * 24 * 3600) return std::to_string(seconds_old / 3600) + "h";
  return std::to_string(seconds_old / (24 * 3600)) + "d";
}

Error pool_unknown(const Host& host, const PoolKey& key) {
  const bool others = host.pools.size() > host.pools.count(key);  // one that is being taken away is still there
  Error error(ErrorKind::pool_unknown, "there is no pool '" + key.str() + "' on this host",
              others ? "wtpool pools" : "wtpool init --source REPO");
  error.pool = key.str();
  return error;
}

Error no_pools() { return {ErrorKind::pool_unknown, "there is no pool on this host yet", "wtpool init --source REPO"}; }

Error pool_ambiguous(const Host& host) {
  std::vector<std::string> keys;
  for (const auto& [key, pool] : host.pools) keys.push_back(key.str());
  return {ErrorKind::pool_ambiguous, "cannot tell which pool is meant: this host has " + joined(keys), "wtpool --pool KEY ..."};
}

Error pool_unavailable(const PoolKey& key, const std::string& why) {
  Error error(ErrorKind::pool_unavailable, "pool '" + key.str() + "' is unavailable: " + why);
  error.pool = key.str();
  return error;
}

Error name_is_slot_id(const std::string& name) {
  Error error(ErrorKind::bad_name, "'" + name + "' is not a valid name: it has the form of a slot id of this pool");
  error.name = name;
  return error;
}

Error nothing_named() { return {ErrorKind::bad_name, "cannot tell what is meant: the NAME or SLOT is empty"}; }

Error group_wanted(const Pool& pool) {
  return with({ErrorKind::invalid_params,
               "group: " + in_pool(pool) + " has groups, one of them is needed: " + joined(pool.config->groups),
               "--group " + pool.config->groups.front()},
              pool);
}

Error group_unknown(const Pool& pool, const std::string& group) {
  return with({ErrorKind::invalid_params,
               "group: " + in_pool(pool) + " has no group '" + group + "', it has " + joined(pool.config->groups)},
              pool);
}

Error group_refused(const Pool& pool, const std::string& group) {
  return with({ErrorKind::invalid_params, "group: " + in_pool(pool) + " has no groups, so '" + group + "' names none"}, pool);
}

Error name_held(const Pool& pool, const Slot& slot, Now now) {
  const std::string& name = slot.lease->name;
  Error error =
      with({ErrorKind::name_held,
            "'" + name + "' is already held in " + in_pool(pool) + ": " + slot.id.str() + ", for " + age(held_for(slot, now)),
            release_command(pool, name)},
           pool, &slot, name);
  error.holder = name;
  return error;
}

Error sha_held(const Pool& pool, const Slot& slot, const Oid& commit, Now now) {
  Error error = with({ErrorKind::sha_held,
                      "commit " + commit.str() + " is already held: " + slot.id.str() + " by '" + slot.lease->name + "', for " +
                          age(held_for(slot, now)),
                      release_command(pool, slot.lease->name)},
                     pool, &slot);
  error.holder = slot.lease->name;
  return error;
}

Error commit_unknown(const Pool& pool, const std::string& commit) {
  return with({ErrorKind::commit_unknown, "cannot resolve '" + commit + "': the source of " + in_pool(pool) + " (" +
                                              pool.config->source + ") has no such commit"},
              pool);
}

Error fetch_failed(const Pool& pool, const std::optional<std::string>& commit, const Error& why) {
  Error error = why;
  error.message = "cannot resolve '" + commit.value_or(pool.config->default_commit) + "': the source of " + in_pool(pool) +
                  " does not have it, and the fetch failed: " + why.message;
  return error;
}

Error branch_exists(const Pool& pool, const std::string& name) {
  return with({ErrorKind::branch_exists, "branch '" + name + "' already exists in " + pool.config->source,
               "wtpool acquire " + proto::shell_word(name) + of_pool(pool) + " --resume (or --replace)"},
              pool, nullptr, name);
}

Error branch_conflict(const Pool& pool, const std::string& name, const std::string& other) {
  return with({ErrorKind::branch_exists, "branch '" + name + "' cannot be made in " + pool.config->source + ": branch '" +
                                             other + "' exists, and git cannot have both"},
              pool, nullptr, name);
}

Error branch_checked_out(const Pool& pool, const std::string& name, const std::string& where) {
  return with({ErrorKind::branch_exists, "branch '" + name + "' is checked out at " + where,
               "wtpool acquire ANOTHER --commit " + proto::shell_word(name) + of_pool(pool)},
              pool, nullptr, name);
}

Error at_capacity(const Pool& pool, const std::optional<std::string>& group, Now now) {
  std::size_t held = 0;
  std::size_t quarantined_count = 0;
  std::string a_holder = "NAME";
  std::vector<std::array<std::string, 4>> table{{"SLOT", "NAME", "AGE", "KIND"}};
  for (const Slot* slot : slots_in_order(pool)) {
    if (slot->group != group) continue;
    if (slot->phase == Phase::quarantined || slot->phase == Phase::repairing) {
      ++quarantined_count;
      table.push_back({slot->id.str(), "-", "-", "quarantined"});
    } else if (slot->lease && slot->phase != Phase::recycling) {
      if (held == 0) a_holder = slot->lease->name;
      ++held;
      table.push_back({slot->id.str(), slot->lease->name, age(held_for(*slot, now)), kind_text(slot->lease->kind)});
    }
  }
  std::string message = "every slot of " + in_pool(pool) + (group ? " in group '" + *group + "'" : "") +
                        " is taken: " + std::to_string(held) + " held";
  if (quarantined_count > 0) message += ", " + std::to_string(quarantined_count) + " quarantined";
  Error error = with({ErrorKind::at_capacity, message, release_command(pool, a_holder)}, pool);
  if (const auto quarantined_ones = quarantined_slots(pool, group); !quarantined_ones.empty()) {
    const std::string repair = repair_command(pool, *quarantined_ones.front());
    error.hint = held == 0 ? repair : error.hint + " (or " + repair + ")";
  }
  error.details = table_of(table);
  return error;
}

Error contended(const Pool& pool, const std::string& why) {
  return with({ErrorKind::contended, "no slot of " + in_pool(pool) + " is free at once: " + why, "try again, or --wait"}, pool);
}

Error busy(const Pool& pool, const Slot& slot, const std::string& being) {
  return with({ErrorKind::contended, slot.id.str() + " of " + in_pool(pool) + " is being " + being, "try again"}, pool, &slot);
}

Error queue_full(const Pool& pool, std::size_t limit) {
  return with({ErrorKind::queue_full, std::to_string(limit) + " requests wait for " + in_pool(pool) + " already"}, pool);
}

Error timed_out(const Pool& pool, const std::optional<std::string>& group) {
  const auto quarantined_ones = quarantined_slots(pool, group);
  std::string message =
      "the time ran out, waiting for a slot of " + (group ? "group '" + *group + "' of " : std::string()) + in_pool(pool);
  if (quarantined_ones.empty()) return with({ErrorKind::timed_out, message}, pool);
  const auto count = quarantined_ones.size();
  message += ", of which " + std::to_string(count) + (count == 1 ? " is" : " are") + " quarantined";
  return with({ErrorKind::timed_out, message, repair_command(pool, *quarantined_ones.front())}, pool);
}

Error timed_out_on_commit(const Pool& pool, const Slot& slot, const std::string& limit, Now now) {
  Error error = with({ErrorKind::timed_out,
                      "the " + limit + " ran out, waiting for commit " + slot.lease->full_sha.str() + ", which is held: " +
                          slot.id.str() + " by '" + slot.lease->name + "', for " + age(held_for(slot, now)),
                      release_command(pool, slot.lease->name)},
                     pool, &slot);
  error.holder = slot.lease->name;
  return error;
}

Error in_no_slot(const Pool& pool, const std::string& verb) {
  return with({ErrorKind::not_held, "the current directory is in no slot of " + in_pool(pool), "wtpool " + verb + " NAME"},
              pool);
}

Error not_held(const Pool& pool, const std::string& what) {
  return with({ErrorKind::not_held, "'" + what + "' is not held in " + in_pool(pool), "wtpool ls" + of_pool(pool)}, pool);
}

Error lease_lost(const std::string& what) { return {ErrorKind::lease_lost, what + ": the lease is not yours any more"}; }

Error held_by_another(const Pool& pool, const Slot& slot, const std::string& what) {
  Error error =
      with({ErrorKind::lease_lost, what + ": the lease is not yours any more, it is held as '" + slot.lease->name + "'"}, pool,
           &slot);
  error.holder = slot.lease->name;
  return error;
}

Error quarantined(const Pool& pool, const Slot& slot) {
  return with({ErrorKind::quarantined, slot.id.str() + " is quarantined: " + slot.reason, repair_command(pool, slot)}, pool,
              &slot);
}

Error slot_unknown(const Pool& pool, const std::string& slot) {
  return with({ErrorKind::slot_unknown, in_pool(pool) + " has no slot '" + slot + "'", "wtpool ls" + of_pool(pool)}, pool);
}

Error slot_held(const Pool& pool, const Slot& slot, Now now) {
  const std::string name = slot.lease ? slot.lease->name : std::string("somebody");
  return with({ErrorKind::slot_held, slot.id.str() + " is held by '" + name + "', for " + age(held_for(slot, now)),
               release_command(pool, name)},
              pool, &slot, name);
}

// Places, not a command: a pool that is taken away has no trash to ask.
std::string work_kept(const Slot& slot, const std::string& trash_id, const std::string& where) {
  return "work left in " + slot.id.str() + " is kept as " + trash_id + ": " + where;
}

Error shutting_down() { return {ErrorKind::shutting_down, "the daemon is shutting down", "try again"}; }

}  // namespace wtpool::core::say
