// Doing what the reconcile table says.
#include "daemon/core/slot/apply_facts.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/rules/reconcile.hpp"
#include "daemon/core/slot/upkeep.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

void take_place(Slot& slot, const SlotFacts& facts) {
  slot.git_id = facts.git_id;
  slot.at = facts.head;
  slot.tree = Oid{};
  slot.sealed = false;
}

std::optional<std::string> already_leased(const Pool& pool, const Slot& slot, const Lease& lease) {
  for (const auto& [id, other] : pool.slots) {
    if (id == slot.id || !other.lease || other.phase != Phase::held) continue;
    if (other.lease->name == lease.name) return "'" + lease.name + "' is held by " + id.str() + " too";
    if (other.lease->id == lease.id) return "its lease id is that of " + id.str() + " too";
  }
  return std::nullopt;
}

void adopt(Turn& t, Pool& pool, Slot& slot, const SlotFacts& facts) {
  Lease lease = facts.marker->lease;
  if (lease.name.empty()) lease.name = facts.branch.value_or(slot.id.str());
  if (const auto why = already_leased(pool, slot, lease)) return quarantine(t, pool, slot, *why, "load");
  take_place(slot, facts);
  slot.phase = Phase::held;
  slot.changed = t.host.turn;
  slot.lease = std::move(lease);
  slot.branch = facts.branch;
  slot.directory_gone = facts.directory == SlotFacts::Directory::absent;
  lease_begins(t, slot);
  if (slot.lease->kind == LeaseKind::connection) {
    const nanoseconds grace = after(t.now.awake, t.host.settings.resume_grace);
    slot.ends = std::min(grace, slot.ends.value_or(grace));
  }
}

void rewrite(Turn& t, Pool& pool, Slot& slot) {
  if (slot.lease->adopted) return;  // its marker was never ours to write
  ask(t, JobClass::answering, job::RewriteMarker{Marker{*slot.lease, MarkerState::held, {}, {}}}, pool.key, {slot.id});
}

void compare(Turn& t, Pool& pool, Slot& slot, const SlotFacts& facts) {
  const Lease& found = facts.marker->lease;
  if (found.id != slot.lease->id) {
    return quarantine(t, pool, slot, why_quarantined(facts, Seen::held, Holds::held), "reading it back");
  }
  slot.branch = facts.branch;
  slot.directory_gone = facts.directory == SlotFacts::Directory::absent;
  const bool same = slot.lease->adopted || (found == *slot.lease && facts.marker->state == MarkerState::held);
  if (!same) rewrite(t, pool, slot);
}

}  // namespace

void apply_facts(Turn& t, Pool& pool, const SlotFacts& facts, bool first) {
  Slot& slot = pool.slots.at(facts.slot);
  const Seen seen = classify(facts);
  const Holds held = first ? Holds::unknown : holds(slot.phase);
  if (held == Holds::held && slot.ending != Ending::none) return;  // its Release job will see for itself
  switch (reconcile(seen, held)) {
    case Action::nothing:
      return;
    case Action::become_fresh:
      return became_fresh(t, pool, slot);
    case Action::become_idle:
      take_place(slot, facts);
      slot.phase = Phase::idle;
      slot.seal_at = t.now.awake;
      slot.changed = t.host.turn;
      pool.unsettled = true;
      return;
    case Action::adopt:
      return adopt(t, pool, slot, facts);
    case Action::compare:
      return compare(t, pool, slot, facts);
    case Action::rewrite:
      slot.directory_gone = facts.directory == SlotFacts::Directory::absent;
      return rewrite(t, pool, slot);
    case Action::keep_without_tree:
      slot.directory_gone = true;
      return;
    case Action::recover:
      take_place(slot, facts);
      slot.facts = facts;
      slot.of_own = false;
      slot.attempts = 0;
      slot.orphan_ends.reset();
      return start_recover(t, pool, slot);
    case Action::quarantine:
      slot.git_id = facts.git_id;
      return quarantine(t, pool, slot, why_quarantined(facts, seen, held), first ? "load" : "reading it back");
    case Action::note_quarantine:
      take_place(slot, facts);
      slot.phase = Phase::quarantined;
      slot.changed = t.host.turn;
      slot.reason = *facts.quarantine;
      pool.unsettled = true;
      return;
  }
}

}  // namespace wtpool::core
