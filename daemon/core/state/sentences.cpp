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

std::string acquire_command(const Pool& pool, const std::string& name, const std::string& more) {
  return "wtpool acquire " + proto::shell_word(name) + " " + more + of_pool(pool);
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
  Error error(ErrorKind::pool_unknown, "cannot find the pool: there is no pool '" + key.str() + "' on this host",
              others ? "wtpool pools" : "wtpool init --source REPO");
  error.pool = key.str();
  return error;
}

Error no_pools() {
  return {ErrorKind::pool_unknown, "cannot tell which pool is meant: there is no pool on this host yet",
          "wtpool init --source REPO"};
}

Error pool_ambiguous(const Host& host) {
  std::vector<std::string> keys;
  for (const auto& [key, pool] : host.pools) keys.push_back(key.str());
  return {ErrorKind::pool_ambiguous, "cannot tell which pool is meant: this host has " + joined(keys), "wtpool pools"};
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

Error group_wanted(const Pool& pool, const std::string& name) {
  return with({ErrorKind::invalid_params,
               "group: " + in_pool(pool) + " has groups, one of them is needed: " + joined(pool.config->groups),
               acquire_command(pool, name, "--group " + proto::shell_word(pool.config->groups.front()))},
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

// The holder may be at work: what helps is his path, or a key by which he would have been given the same lease, never his end.
Error name_held(const Pool& pool, const Slot& slot, Now now) {
  const std::string& name = slot.lease->name;
  Error error =
      with({ErrorKind::name_held,
            "'" + name + "' is already held in " + in_pool(pool) + ": " + slot.id.str() + ", for " + age(held_for(slot, now)),
            "wtpool path " + proto::shell_word(name) + of_pool(pool) +
                " (with the same --key each time, acquire gives the same lease back)"},
           pool, &slot, name);
  error.holder = name;
  return error;
}

Error sha_held(const Pool& pool, const std::string& name, const Slot& slot, const Oid& commit, Now now) {
  Error error = with({ErrorKind::sha_held,
                      "commit " + commit.str() + " is already held: " + slot.id.str() + " by '" + slot.lease->name + "', for " +
                          age(held_for(slot, now)),
                      acquire_command(pool, name, "--commit " + commit.str() + " --unique-sha --wait")},
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

std::string acquire_at(const Pool& pool, const std::string& name, const std::string& commit) {
  return acquire_command(pool, name, "--commit " + proto::shell_word(commit));
}

Error nothing_to_resume(const Pool& pool, const std::string& name, const std::optional<std::string>& kept_as) {
  const std::string what = "cannot resume '" + name + "': there is no branch of that name, here or at origin";
  if (!kept_as) return with({ErrorKind::commit_unknown, what, "wtpool trash ls" + of_pool(pool)}, pool, nullptr, name);
  return with(
      {ErrorKind::commit_unknown, what + "; its last work is kept as " + *kept_as, acquire_command(pool, name, "--restore")},
      pool, nullptr, name);
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

Error at_capacity(const Pool& pool, const std::string& name, const std::optional<std::string>& group, Now now) {
  std::size_t held = 0;
  std::vector<std::array<std::string, 4>> table{{"SLOT", "NAME", "AGE", "KIND"}};
  for (const Slot* slot : slots_in_order(pool)) {
    if (slot->group != group) continue;
    if (slot->phase == Phase::quarantined || slot->phase == Phase::repairing) {
      table.push_back({slot->id.str(), "-", "-", "quarantined"});
    } else if (slot->lease && slot->phase != Phase::recycling) {
      ++held;
      table.push_back({slot->id.str(), slot->lease->name, age(held_for(*slot, now)), kind_text(slot->lease->kind)});
    }
  }
  const std::string in_group = group ? " in group '" + *group + "'" : "";
  const std::string count = std::to_string(held) + " held";
  Error error;
  if (const auto out_of_use = quarantined_slots(pool, group); out_of_use.empty()) {
    error = with({ErrorKind::at_capacity, "every slot of " + in_pool(pool) + in_group + " is taken: " + count,
                  acquire_command(pool, name, (group ? "--group " + proto::shell_word(*group) + " " : "") + "--wait")},
                 pool);
  } else {
    // It is not only a question of time.
    std::string message = "no slot of " + in_pool(pool) + in_group + " can be had: " + count + ", " +
                          std::to_string(out_of_use.size()) + " quarantined:";
    for (const Slot* slot : out_of_use) message += " " + slot->id.str();
    error = with({ErrorKind::quarantined, message, repair_command(pool, *out_of_use.front())}, pool, out_of_use.front());
  }
  error.details = table_of(table);
  return error;
}

Error contended(const Pool& pool, const std::string& name, const std::string& why) {
  return with(
      {ErrorKind::contended, "no slot of " + in_pool(pool) + " is free at once: " + why, acquire_command(pool, name, "--wait")},
      pool);
}

Error busy(const Pool& pool, const Slot& slot, const std::string& being) {
  return with({ErrorKind::contended, slot.id.str() + " of " + in_pool(pool) + " is busy: it is being " + being,
               "wtpool inspect " + slot.id.str() + of_pool(pool)},
              pool, &slot);
}

Error queue_full(const Pool& pool, std::size_t limit) {
  return with({ErrorKind::queue_full,
               "cannot wait in line: " + std::to_string(limit) + " requests wait for " + in_pool(pool) + " already"},
              pool);
}

Error timed_out(const Pool& pool, const std::optional<std::string>& group) {
  const auto quarantined_ones = quarantined_slots(pool, group);
  std::string message = "no slot was had: the time ran out, waiting for a slot of " +
                        (group ? "group '" + *group + "' of " : std::string()) + in_pool(pool);
  if (quarantined_ones.empty()) return with({ErrorKind::timed_out, message}, pool);
  const auto count = quarantined_ones.size();
  message += ", of which " + std::to_string(count) + (count == 1 ? " is" : " are") + " quarantined";
  return with({ErrorKind::timed_out, message, repair_command(pool, *quarantined_ones.front())}, pool);
}

Error timed_out_on_commit(const Pool& pool, const Slot& slot, const std::string& limit, Now now) {
  Error error =
      with({ErrorKind::timed_out,
            "no slot was had: the " + limit + " ran out, waiting for commit " + slot.lease->full_sha.str() +
                ", which is held: " + slot.id.str() + " by '" + slot.lease->name + "', for " + age(held_for(slot, now)),
            "wtpool inspect " + slot.id.str() + of_pool(pool)},
           pool, &slot);
  error.holder = slot.lease->name;
  return error;
}

Error in_no_slot(const Pool& pool, const std::string& verb) {
  return with(
      {ErrorKind::not_held, "cannot " + verb + " what is not named: the current directory is in no slot of " + in_pool(pool),
       "wtpool ls" + of_pool(pool)},
      pool);
}

Error in_no_pool(const std::string& path) {
  return {ErrorKind::not_held, "cannot tell what is meant: " + path + " is in no slot of any pool", "wtpool ls"};
}

Error path_in_no_slot(const Pool& pool, const std::string& verb, const std::string& path) {
  return with({ErrorKind::not_held, "cannot " + verb + " " + path + ": it is in no slot of " + in_pool(pool),
               "wtpool ls" + of_pool(pool)},
              pool);
}

Error path_not_held(const Pool& pool, const Slot& slot, const std::string& verb, const std::string& path) {
  return with({ErrorKind::not_held, "cannot " + verb + " " + path + ": nobody holds " + slot.id.str() + " of " + in_pool(pool),
               "wtpool ls" + of_pool(pool)},
              pool, &slot);
}

namespace {

// Letters to be put in, left out or changed.
std::size_t distance(const std::string& one, const std::string& other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t changed = corner + (one[i - 1] == other[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

}  // namespace

std::string near_names(const Pool& pool, const std::string& name) {
  constexpr std::size_t kNear = 2;
  std::vector<std::string> near;
  for (const Slot* slot : slots_in_order(pool)) {
    const bool held = slot->lease && (slot->phase == Phase::held || slot->phase == Phase::releasing);
    if (held && distance(slot->lease->name, name) <= kNear) near.push_back("'" + slot->lease->name + "'");
  }
  return near.empty() ? std::string() : "nothing is held as '" + name + "'; was " + joined(near) + " meant?";
}

Error not_held(const Pool& pool, const std::string& what) {
  return with({ErrorKind::not_held, "cannot find the lease: '" + what + "' is not held in " + in_pool(pool),
               "wtpool ls" + of_pool(pool)},
              pool);
}

Error lease_lost(const std::string& what) { return {ErrorKind::lease_lost, what + ": the lease is not yours any more"}; }

Error quarantined(const Pool& pool, const Slot& slot) {
  return with({ErrorKind::quarantined, slot.id.str() + " is quarantined: " + slot.reason, repair_command(pool, slot)}, pool,
              &slot);
}

Error slot_unknown(const Pool& pool, const std::string& slot) {
  return with({ErrorKind::slot_unknown, "cannot find the slot: " + in_pool(pool) + " has no slot '" + slot + "'",
               "wtpool ls" + of_pool(pool)},
              pool);
}

Error slot_held(const Pool& pool, const Slot& slot, Now now) {
  const std::string name = slot.lease ? slot.lease->name : std::string("somebody");
  return with({ErrorKind::slot_held,
               "cannot remove " + slot.id.str() + ": it is held by '" + name + "', for " + age(held_for(slot, now)),
               "wtpool inspect " + slot.id.str() + of_pool(pool)},
              pool, &slot, name);
}

// Places, not a command: a pool that is taken away has no trash to ask.
std::string work_kept(const Slot& slot, const std::string& trash_id, const std::string& where) {
  return "work left in " + slot.id.str() + " is kept as " + trash_id + ": " + where;
}

Error shutting_down() { return {ErrorKind::shutting_down, "cannot go on: the daemon is shutting down", "wtpool daemon start"}; }

}  // namespace wtpool::core::say
