// `lease.confirm` and `lease.resume`: who got a lease says so, or comes back to it.
#include "daemon/core/request/confirm_resume.hpp"

#include "daemon/core/pool/load.hpp"
#include "daemon/core/state/sentences.hpp"
#include "daemon/core/state/turn.hpp"

namespace wtpool::core {
namespace {

Slot* lease_anywhere(Turn& t, const std::string& lease_id) {
  for (auto& [key, pool] : t.host.pools) {
    for (auto& [id, slot] : pool.slots) {
      const bool lives = slot.phase == Phase::held && slot.ending == Ending::none;
      if (lives && slot.lease->id.str() == lease_id) return &slot;
    }
  }
  return nullptr;
}

// A lease that no pool knows may be in one that could not be read: that is tried once more.
void resume_unknown(Turn& t, Request& request) {
  const Pool* unread = nullptr;
  for (auto& [key, pool] : t.host.pools) {
    if (pool.ready()) continue;
    unread = &pool;
    if (pool.present && !pool.loading() && !request.reload_tried) load_pool(t, pool);
  }
  request.reload_tried = true;
  if (any_loading(t.host)) return park(request);
  if (unread == nullptr) return refuse(t, request.id, say::lease_lost("resume"));
  refuse(t, request.id,
         say::pool_unavailable(unread->key, unread->unavailable ? unread->unavailable->message : "it cannot be looked at now"));
}

}  // namespace

void begin_confirm(Turn& t, Request& request) {
  const std::string lease = std::get<proto::ConfirmParams>(request.params).lease_id;
  Slot* slot = lease_anywhere(t, lease);
  if (slot == nullptr) return refuse(t, request.id, say::lease_lost("confirm"));
  slot->unconfirmed = false;
  if (slot->lease->kind != LeaseKind::connection) slot->sessions.clear();
  if (request.owner) slot->process_group = request.owner;
  answer(t, request.id, proto::EmptyResult{});
}

void begin_resume(Turn& t, Request& request) {
  const std::string lease = std::get<proto::ResumeParams>(request.params).lease_id;
  Slot* slot = lease_anywhere(t, lease);
  if (slot == nullptr) return resume_unknown(t, request);
  if (slot->lease->kind != LeaseKind::connection) {
    return refuse(t, request.id, {ErrorKind::invalid_params, "lease_id: only a connection lease can be resumed"});
  }
  const bool in_grace = slot->sessions.empty();
  slot->sessions.insert(request.session);
  if (in_grace) slot->ends = time_to_live(*slot, t.now);
  if (request.owner) slot->process_group = request.owner;
  answer(t, request.id, proto::EmptyResult{});
}

}  // namespace wtpool::core
