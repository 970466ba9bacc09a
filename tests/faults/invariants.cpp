#include "tests/faults/invariants.hpp"

#include <algorithm>
#include <set>

namespace wtpool::test {
namespace {

std::string field(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || object[key].is_null()) return {};
  return object[key].is_string() ? object[key].get<std::string>() : object[key].dump();
}

bool in_between(const json& slot) {
  const auto state = field(slot, "state");
  return state == "acquiring" || state == "recycling";
}

// `ls --json`, by slot; empty when the daemon does not answer in time.
std::map<std::string, json> slots_of(const Observed& observed, Outcome* said = nullptr) {
  std::map<std::string, json> slots;
  const auto outcome = observed.world.wtpool({"--json", "--pool", observed.pool, "ls"});
  if (said != nullptr) *said = outcome;
  const auto list = json::parse(outcome.out, nullptr, false);
  if (outcome.code != 0 || !list.is_array()) return slots;
  for (const auto& slot : list) slots[field(slot, "slot")] = slot;
  return slots;
}

// One lease a slot, one lease a NAME, whatever list they come from.
class Uniqueness {
 public:
  Uniqueness(std::string where, Violations& found) : where_(std::move(where)), found_(found) {}
  void add(const std::string& slot, const std::string& name, const std::string& lease) {
    once(slots_, slot, "slot " + slot + " has two leases");
    if (!name.empty()) once(names_, name, "NAME " + name + " is held twice");
    if (!lease.empty()) once(leases_, lease, "lease " + lease + " stands twice");
  }

 private:
  void once(std::set<std::string>& seen, const std::string& value, const std::string& what) {
    if (!seen.insert(value).second) found_.push_back("1: " + what + " (" + where_ + ")");
  }
  std::string where_;
  Violations& found_;
  std::set<std::string> slots_, names_, leases_;
};

bool must_live(const LeaseStory& story) { return story.told == Told::acknowledged && !story.killed; }

std::optional<std::string> slot_of_entry(const Observed& observed, const std::string& git_id) {
  const auto gitdir = trimmed(read_text(observed.source.common_dir() / "worktrees" / git_id / "gitdir"));
  const auto slot = fs::path(gitdir).parent_path();
  if (slot.parent_path() != fs::weakly_canonical(observed.root()) && slot.parent_path() != observed.root()) return std::nullopt;
  return slot.filename().string();
}

void compare_lease(const json& slot, const std::map<std::string, std::string>& marker, Violations& found) {
  const auto id = field(slot, "slot");
  const auto& lease = slot["lease"];
  const auto same = [&](const char* what, const std::string& memory, const char* key) {
    const auto at = marker.find(key);
    const auto disk = at == marker.end() ? std::string() : at->second;
    if (memory != disk)
      found.push_back("2: " + id + ": " + what + " is '" + memory + "' in memory and '" + disk + "' in the marker");
  };
  same("the name", field(slot, "name"), "name");
  same("the commit", field(slot, "full_sha"), "full_sha");
  same("the start", field(slot, "started_at"), "started_at");
  same("the lease", field(lease, "id"), "lease_id");
  same("the kind", field(lease, "kind"), "lease_kind");
  same("the ttl", field(lease, "ttl_seconds"), "ttl_seconds");
  same("the owner", field(lease, "owner_pid"), "owner_pid");
}

// Memory and markers, field by field; only right when no slot is in between.
void compare_with_disk(const Observed& observed, const std::map<std::string, json>& slots, Violations& found) {
  std::set<std::string> marked;
  for (const auto& marker : markers_of(observed.source)) {
    const auto slot = slot_of_entry(observed, marker.git_id);
    if (!slot) continue;
    marked.insert(*slot);
    const auto element = slots.find(*slot);
    const auto state = element == slots.end() ? "not listed" : field(element->second, "state");
    if (state == "held")
      compare_lease(element->second, marker.fields, found);
    else if (state != "quarantined")
      found.push_back("2: " + *slot + " is " + state + ", and a marker stands in it: " + read_text(marker.file));
  }
  for (const auto& [id, slot] : slots) {
    if (field(slot, "state") == "held" && !marked.contains(id)) found.push_back("2: " + id + " is held, and has no marker");
    if (field(slot, "state") == "quarantined" && observed.quarantine_is_wrong)
      found.push_back("3: " + id + " is quarantined: " + field(slot, "reason"));
  }
  std::error_code none;
  for (const auto& file : fs::directory_iterator(observed.root() / ".meta/init", none)) {
    if (file.path().extension() == ".intent") found.push_back("3: an intent stands: " + file.path().string());
  }
}

void compare_with_ledger(const Observed& observed, const std::map<std::string, json>& slots, Violations& found) {
  const auto told = observed.ledger.stories();
  Before::Branches branches;
  for (const auto& [id, slot] : slots) {
    if (field(slot, "state") == "held" || field(slot, "state") == "quarantined") {
      branches.leased.insert(field(slot, "name"));
      branches.leased.insert(field(slot, "branch"));
    }
  }
  for (const auto& [name, story] : told)
    if (story.told == Told::left) branches.given_back.insert(name);
  for (const auto& what : observed.before.differences(observed.source, branches, observed.root()))
    found.push_back("6: " + what);
  for (const auto& [name, story] : told) {
    for (const auto& oid : story.dropped) {
      const auto log = story.path.empty() || !fs::exists(story.path / ".git") ? std::string()
                                                                              : read_text(gitdir_of(story.path) / "logs/HEAD");
      if (log.find(oid) == std::string::npos) found.push_back("4: " + oid + ", dropped by " + name + ", is in no HEAD reflog");
    }
  }
}

}  // namespace

std::vector<MarkerOnDisk> markers_of(const Repo& source) {
  std::vector<MarkerOnDisk> markers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(source.common_dir() / "worktrees", none)) {
    const auto file = entry.path() / "worktree-pool/lock";
    if (!fs::exists(file)) continue;
    const auto text = read_text(file);
    markers.push_back({file, entry.path().filename().string(), flat_yaml(text), text.ends_with("# end\n")});
  }
  return markers;
}

Violations violations_on_disk(const Observed& observed, const Ledger::Stories& told) {
  auto found = observed.ledger.broken();
  Uniqueness unique("markers", found);
  std::map<std::string, std::string> held;  // lease → slot
  for (auto& marker : markers_of(observed.source)) {
    const auto slot = slot_of_entry(observed, marker.git_id);
    if (!slot) continue;
    if (!marker.whole && observed.quarantine_is_wrong)
      found.push_back("2: a marker is not whole: " + marker.file.string() + "\n" + read_text(marker.file));
    // The NAME of a lease that is on its way out is free.
    const bool leaves = marker.fields["state"] == "releasing";
    unique.add(*slot, leaves ? std::string() : marker.fields["name"], marker.fields["lease_id"]);
    if (marker.fields["state"] == "held") held[marker.fields["lease_id"]] = *slot;
    const auto story = told.find(marker.fields["name"]);
    if (story == told.end()) {
      if (marker.fields["state"] == "held") found.push_back("3: nobody was granted the lease of " + marker.fields["name"]);
    } else if (story->second.told == Told::left && marker.fields["state"] == "held") {
      found.push_back("3: " + marker.fields["name"] + " was given back, and its marker says held");
    }
  }
  for (const auto& [name, story] : told) {
    if (!must_live(story)) continue;
    const auto at = held.find(story.lease_id);
    if (at == held.end())
      found.push_back("3: lease " + story.lease_id + " of " + name + " in " + story.slot + " is lost: no marker says held");
    else if (at->second != story.slot)
      found.push_back("3: lease " + story.lease_id + " of " + name + " was in " + story.slot + ", and is in " + at->second);
  }
  return found;
}

Violations violations_in_daemon(const Observed& observed, const Ledger::Stories& told) {
  auto found = observed.ledger.broken();
  Outcome said;
  const auto slots = slots_of(observed, &said);
  const auto now = observed.ledger.stories();
  if (slots.empty()) {
    return {"3: the daemon does not list the pool's slots; ls ends with " + std::to_string(said.code) + ": " + said.err +
            said.out.substr(0, 200)};
  }
  Uniqueness unique("ls", found);
  std::map<std::string, std::string> held;
  for (const auto& [id, slot] : slots) {
    if (field(slot, "state") != "held") continue;
    const auto name = field(slot, "name");
    const auto lease = field(slot["lease"], "id");
    unique.add(id, name, lease);
    held[lease] = id;
    const auto before = told.find(name);
    const auto after = now.find(name);
    const bool over_all_along =
        before != told.end() && before->second.told == Told::left && after != now.end() && after->second.told == Told::left;
    if (over_all_along || (before == told.end() && after == now.end()))
      found.push_back("3: " + id + " is held as " + name + ", and nobody has that lease");
  }
  for (const auto& [name, story] : told) {
    const auto after = now.find(name);
    if (!must_live(story) || after == now.end() || !must_live(after->second) || after->second.lease_id != story.lease_id)
      continue;
    const auto at = held.find(story.lease_id);
    if (at == held.end())
      found.push_back("3: lease " + story.lease_id + " of " + name + " in " + story.slot +
                      " is lost: the daemon does not have it");
    else if (at->second != story.slot)
      found.push_back("3: lease " + story.lease_id + " of " + name + " was in " + story.slot + ", and is in " + at->second);
  }
  return found;
}

Violations violations(const Observed& observed, std::chrono::milliseconds patience) {
  std::map<std::string, json> slots;
  const bool quiet = wait_until(
      [&] {
        slots = slots_of(observed);
        return !slots.empty() && std::ranges::none_of(slots, [](const auto& slot) { return in_between(slot.second); });
      },
      patience);
  if (!quiet) {
    std::string text = "3: after " + std::to_string(patience.count() / 1000) + " s a slot is still in between:";
    for (const auto& [id, slot] : slots)
      if (in_between(slot)) text += " " + id + " " + field(slot, "state");
    return {text};
  }
  auto found = violations_in_daemon(observed, observed.ledger.stories());
  const auto add = [&](const Violations& more) { found.insert(found.end(), more.begin(), more.end()); };
  add(unusable_source(observed.source));
  if (!found.empty()) return found;  // what git cannot read is not compared
  compare_with_disk(observed, slots, found);
  compare_with_ledger(observed, slots, found);
  add(lost_commits(observed));
  add(lost_files(observed));
  return found;
}

Violations violations_over_restart(World& world, const Observed& observed) {
  auto found = violations(observed);
  const auto before = slots_of(observed);
  world.stop_daemon();
  world.start_daemon();
  auto after = slots_of(observed);
  const std::string tip = observed.source.head();
  for (const auto& [id, slot] : before) {
    for (const std::string key : {"state", "name", "branch", "full_sha", "started_at"}) {
      const auto was = field(slot, key.c_str());
      const auto is = field(after[id], key.c_str());
      // Where an idle slot stands after a failure is known when it is next looked at; and it follows the tip meanwhile.
      const bool unknown = key == "full_sha" && was.empty();
      const bool followed = key == "full_sha" && field(slot, "state") == "idle" && is == tip;
      if (was != is && !unknown && !followed)
        found.push_back("2: after a restart " + id + " has " + key + " '" + is + "', not '" + was + "'");
    }
  }
  for (const auto& what : violations(observed)) found.push_back(what + " (after a restart)");
  return found;
}

std::string said(const Violations& violations) {
  std::string text;
  for (const auto& violation : violations) text += violation + "\n";
  return text;
}

}  // namespace wtpool::test
