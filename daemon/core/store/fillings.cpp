#include "daemon/core/store/fillings.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/state/sentences.hpp"

namespace wtpool::core {

Filling* filling_of(Turn& t, const std::string& key) {
  const auto found = t.host.fillings.find(key);
  return found == t.host.fillings.end() ? nullptr : &found->second;
}

void wait_for_filling(Turn& t, Request& request, const std::string& key) {
  request.stage = Stage::filling;
  t.host.fillings.at(key).waiters.push_back(request.id);
  proto::Progress progress;
  progress.phase = "filling";
  progress.message = "another client is making " + key;
  tell(t, request, std::move(progress));
}

void fill_from(Turn& t, Request& request, const std::string& key, const std::string& archive, bool temporary) {
  Filling& filling = t.host.fillings[key];
  request.stage = Stage::filling;
  filling.asker = request.id;
  filling.client.reset();
  filling.ticket.clear();
  // With the fetches: it may last minutes, and holds no slot job up.
  filling.job = ask(t, JobClass::network, job::StoreFill{key, archive, temporary}, PoolKey{}, {}, request.id);
}

std::string fill_by_client(Turn& t, Request& request, const std::string& key) {
  Filling& filling = t.host.fillings[key];
  filling.asker.reset();
  filling.job.reset();
  filling.client = request.session;
  filling.ticket = request.lease_id.str();
  return filling.ticket;
}

void end_filling(Turn& t, const std::string& key) {
  const auto found = t.host.fillings.find(key);
  if (found == t.host.fillings.end()) return;
  const std::vector<RequestId> waiters = std::move(found->second.waiters);
  t.host.fillings.erase(found);
  for (const RequestId id : waiters) {
    if (find_request(t, id) == nullptr) continue;
    if (t.host.draining) {
      refuse(t, id, say::shutting_down());
    } else {
      t.again.push_back(id);
    }
  }
}

void leave_filling(Turn& t, RequestId id) {
  std::vector<std::string> ended;
  for (auto& [key, filling] : t.host.fillings) {
    std::erase(filling.waiters, id);
    if (filling.asker != id) continue;
    filling.asker.reset();
    if (!filling.job || !filling.waiters.empty()) continue;
    // Nobody is left who wants it.
    if (drop_unstarted(t, *filling.job)) {
      ended.push_back(key);
    } else {
      stop_job(t, *filling.job);
    }
  }
  for (const std::string& key : ended) t.host.fillings.erase(key);
}

void filler_gone(Turn& t, SessionId session) {
  std::vector<std::string> ended;
  for (const auto& [key, filling] : t.host.fillings) {
    if (filling.client == session && !filling.job) ended.push_back(key);
  }
  for (const std::string& key : ended) end_filling(t, key);
}

}  // namespace wtpool::core
