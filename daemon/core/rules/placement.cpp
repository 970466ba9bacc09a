// Which free slot an acquire gets: nearest first, so that least has to be written.
#include "daemon/core/rules/placement.hpp"

#include <algorithm>
#include <tuple>

namespace wtpool::core {
namespace {

// Smaller is better: at the commit, with the same tree, few steps away along the tip's line, used last. Occupied slots come
// last of all; what exists comes before what would have to be made.
auto rank(const Pool& pool, const Slot& slot, const Acquiring& acquire) {
  const bool fresh = slot.phase == Phase::fresh;
  int distance = 3;
  if (!fresh && slot.at == acquire.full_sha) {
    distance = slot.sealed ? 0 : 1;
  } else if (!fresh && !slot.tree.empty() && slot.tree == acquire.resolved.tree) {
    distance = 2;
  }
  const std::uint64_t staleness = fresh ? 0 : ~slot.last_used;
  const bool sealing = slot.job.has_value();  // gives way, but only after a moment
  const std::size_t steps = distance < 3 || fresh || !slot.at ? 0 : distance_between(pool, *slot.at, acquire.full_sha);
  return std::tuple(slot.occupied, fresh, distance, steps, !slot.sealed, sealing, staleness, slot.number);
}

}  // namespace

Slot* best_slot(const Host& host, Pool& pool, const std::optional<std::string>& group, const Acquiring& acquire) {
  // Held slots beyond max_slots, of before it was lowered, count like the others.
  const auto held = std::count_if(pool.slots.begin(), pool.slots.end(), [&](const auto& entry) {
    const Slot& slot = entry.second;
    const bool holds = slot.phase == Phase::acquiring || slot.phase == Phase::held || slot.phase == Phase::releasing;
    return slot.group == group && holds;
  });
  if (held >= pool.config->max_slots) return nullptr;
  Slot* best = nullptr;
  for (auto& [id, slot] : pool.slots) {
    if ((slot.phase != Phase::idle && slot.phase != Phase::fresh) || being_healed(host, slot)) continue;
    if (slot.group != group || (slot.phase == Phase::fresh && slot.number >= pool.config->max_slots)) continue;
    if (acquire.only && id != *acquire.only) continue;
    if (acquire.passed.contains(id) || acquire.set_aside.contains(id)) continue;
    if (best == nullptr || rank(pool, slot, acquire) < rank(pool, *best, acquire)) best = &slot;
  }
  return best;
}

Slot* holder_of_commit(Pool& pool, const Oid& commit) {
  for (auto& [id, slot] : pool.slots) {
    const bool holds = slot.phase == Phase::acquiring || slot.phase == Phase::held || slot.phase == Phase::releasing;
    if (holds && slot.lease && slot.lease->full_sha == commit) return &slot;
  }
  return nullptr;
}

Slot* holder_of_name(Pool& pool, const std::string& name) {
  for (auto& [id, slot] : pool.slots) {
    const bool holds = slot.phase == Phase::acquiring || slot.phase == Phase::held || slot.phase == Phase::releasing;
    if (holds && slot.lease && slot.lease->name == name) return &slot;
  }
  return nullptr;
}

Slot* recovering_from(Pool& pool, const std::string& name) {
  for (auto& [id, slot] : pool.slots) {
    if (slot.phase == Phase::recovering && slot.facts.marker && slot.facts.marker->lease.name == name) return &slot;
  }
  return nullptr;
}

std::size_t distance_between(const Pool& pool, const Oid& a, const Oid& b) {
  const auto from = pool.tip.line.find(a);
  const auto to = pool.tip.line.find(b);
  if (from == pool.tip.line.end() || to == pool.tip.line.end()) return kFarAway;
  return from->second > to->second ? from->second - to->second : to->second - from->second;
}

}  // namespace wtpool::core
