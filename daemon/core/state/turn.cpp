// What every handler does: find, answer, tell, note.
#include "daemon/core/state/turn.hpp"

#include "daemon/core/state/sentences.hpp"

namespace wtpool::core {
namespace {

// Who had joined a request that is answered now, and was not answered with it, begins anew.
void forget(Turn& t, RequestId id) {
  std::vector<RequestId> followers;
  if (Request* request = find_request(t, id)) followers.swap(request->followers);
  t.host.requests.erase(id);
  for (const RequestId follower : followers) {
    Request* request = find_request(t, follower);
    if (request == nullptr) continue;
    request->leader.reset();
    if (t.host.draining) {
      refuse(t, follower, say::shutting_down());
    } else {
      t.again.push_back(follower);
    }
  }
}

}  // namespace

void answer(Turn& t, RequestId id, proto::Result result, std::optional<Durable> receipt) {
  t.answers.push_back(effect::Reply{id, std::move(result), receipt});
  forget(t, id);
}

void refuse(Turn& t, RequestId id, Error error) {
  t.answers.push_back(effect::Refuse{id, std::move(error)});
  forget(t, id);
}

void tell(Turn& t, const Request& request, proto::Progress progress) {
  const auto* acquire = std::get_if<proto::AcquireParams>(&request.params);
  const auto* release = std::get_if<proto::ReleaseParams>(&request.params);
  const auto* init = std::get_if<proto::PoolInitParams>(&request.params);
  const auto* land = std::get_if<proto::LandParams>(&request.params);
  if ((acquire != nullptr && acquire->progress) || (release != nullptr && release->progress) ||
      (init != nullptr && init->progress) || (land != nullptr && land->progress)) {
    t.notes.push_back(effect::Tell{request.id, std::move(progress)});
  }
}

void warn(Turn& t, const Request& request, const std::string& message) {
  t.notes.push_back(effect::Tell{request.id, proto::Warning{0, message}});
}

void tell_kept(Turn& t, const Request& request, const Slot& slot, const std::optional<std::string>& id,
               const std::string& where) {
  if (id && !where.empty()) warn(t, request, say::work_kept(slot, *id, where));
}

void emit(Turn& t, const Pool& pool, const Slot* slot, std::string type, const Lease* lease,
          std::optional<std::string> message) {
  proto::EventNote event;
  event.seq = t.host.next_seq++;
  event.time = t.now.wall;
  event.pool = pool.key.str();
  if (slot != nullptr) event.slot = slot->id.str();
  event.type = std::move(type);
  if (lease != nullptr) {
    event.name = lease->name;
    event.lease_id = lease->id.str();
  }
  event.message = std::move(message);
  t.notes.push_back(effect::Emit{std::move(event)});
}

void emit_of_host(Turn& t, std::string type, std::string message) {
  proto::EventNote event;
  event.seq = t.host.next_seq++;
  event.time = t.now.wall;
  event.type = std::move(type);
  event.message = std::move(message);
  t.notes.push_back(effect::Emit{std::move(event)});
}

void note(Turn& t, int level, std::string message) { t.notes.push_back(effect::Log{level, std::move(message)}); }

void note_change(Turn& t, const Request& request) { t.host.changed_by[request.session].insert(request.pool); }

Request* find_request(Turn& t, RequestId id) {
  const auto found = t.host.requests.find(id);
  return found == t.host.requests.end() ? nullptr : &found->second;
}

Slot* find_slot(Turn& t, const PoolKey& pool, const SlotId& slot) {
  const auto found = t.host.pools.find(pool);
  if (found == t.host.pools.end()) return nullptr;
  const auto place = found->second.slots.find(slot);
  return place == found->second.slots.end() ? nullptr : &place->second;
}

bool any_loading(const Host& host) {
  return std::any_of(host.pools.begin(), host.pools.end(), [](const auto& entry) { return entry.second.loading(); });
}

void park(Request& request) { request.stage = Stage::parked; }

}  // namespace wtpool::core
