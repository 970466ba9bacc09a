// What must hold between any two events, as far as memory alone can tell.
#include <algorithm>

#include "daemon/core/step.hpp"

namespace wtpool::core {
namespace {

class Check {
 public:
  explicit Check(const Host& host) : host_(host) {}

  std::vector<std::string> run() {
    for (const auto& [key, pool] : host_.pools) check_pool(pool);
    check_jobs();
    check_requests();
    return std::move(broken_);
  }

 private:
  void require(bool holds, const std::string& what) {
    if (!holds) broken_.push_back(what);
  }

  [[nodiscard]] const Job* job(const std::optional<JobId>& id) const {
    const auto found = id ? host_.jobs.find(*id) : host_.jobs.end();
    return found == host_.jobs.end() ? nullptr : &found->second;
  }

  [[nodiscard]] const Slot* slot_of(const Request& request) const {
    const auto pool = host_.pools.find(request.pool);
    if (pool == host_.pools.end()) return nullptr;
    const auto slot = pool->second.slots.find(request.slot);
    return slot == pool->second.slots.end() ? nullptr : &slot->second;
  }

  [[nodiscard]] bool job_is_for(const PoolKey& pool, const SlotId& slot) const {
    return std::any_of(host_.jobs.begin(), host_.jobs.end(), [&](const auto& entry) {
      const Job& each = entry.second;
      return each.pool == pool && std::find(each.slots.begin(), each.slots.end(), slot) != each.slots.end() &&
             !std::holds_alternative<job::ReadBack>(each.spec) && !std::holds_alternative<job::Quarantine>(each.spec);
    });
  }

  void check_slot(const Pool& pool, const Slot& slot) {
    const std::string who = pool.key.str() + "/" + slot.id.str() + ": ";
    const bool leased = slot.phase == Phase::acquiring || slot.phase == Phase::held || slot.phase == Phase::releasing;
    require(!leased || slot.lease.has_value(), who + "a leased phase has a lease");
    const bool free = slot.phase == Phase::fresh || slot.phase == Phase::idle || slot.phase == Phase::quarantined;
    require(!free || !slot.lease, who + "a free slot has none");
    require(!slot.job || (job(slot.job) != nullptr && job(slot.job)->started), who + "its job runs");
    require(!slot.job || !std::holds_alternative<job::Quarantine>(job(slot.job)->spec) || may_record_quarantine(slot.phase),
            who + "nobody records a quarantine of a slot that is well");
    const bool works = slot.phase == Phase::acquiring || slot.phase == Phase::releasing || slot.phase == Phase::removing ||
                       slot.phase == Phase::repairing || slot.phase == Phase::making;
    require(!works || job_is_for(pool.key, slot.id), who + "a working phase has a job");
    const bool repeats = slot.phase == Phase::recycling || slot.phase == Phase::recovering;
    require(!repeats || host_.draining || slot.retry_at || job_is_for(pool.key, slot.id), who + "upkeep goes on");
    require(slot.ending == Ending::none || slot.phase != Phase::held || slot.retry_at || host_.draining,
            who + "a lease that should end is being ended");
    require(slot.releases.empty() || slot.phase == Phase::releasing, who + "only a release is waited for as one");
    require(slot.recycle_waits.empty() || repeats || slot.phase == Phase::making, who + "only a recycle is waited for as one");
    for (const RequestId id : slot.releases) require(host_.requests.contains(id), who + "a release has its request");
    for (const RequestId id : slot.recycle_waits) require(host_.requests.contains(id), who + "a recycle has its waiter");
    require(slot.phase != Phase::acquiring || (slot.acquire && host_.requests.contains(*slot.acquire)),
            who + "an acquire has its request");
    require(
        !slot.unconfirmed || !leased || !slot.sessions.empty() || slot.ending != Ending::none || slot.phase == Phase::acquiring,
        who + "an unconfirmed lease has its session");
    const bool waits_for_client = slot.phase == Phase::held && slot.ending == Ending::none && slot.lease &&
                                  slot.lease->kind == LeaseKind::connection && slot.sessions.empty();
    require(!waits_for_client || slot.ends, who + "a client is not waited for for ever");
  }

  void check_pool(const Pool& pool) {
    std::set<std::string> names;
    std::set<LeaseId> leases;
    for (const auto& [id, slot] : pool.slots) {
      check_slot(pool, slot);
      const bool leased = slot.phase == Phase::acquiring || slot.phase == Phase::held || slot.phase == Phase::releasing;
      if (!leased || !slot.lease) continue;
      require(names.insert(slot.lease->name).second, pool.key.str() + ": one lease a NAME: " + slot.lease->name);
      require(leases.insert(slot.lease->id).second, pool.key.str() + ": one slot a lease");
    }
    const auto by_ticket = [&](const std::vector<RequestId>& list, Stage stage) {
      std::uint64_t last = 0;
      for (const RequestId id : list) {
        const auto request = host_.requests.find(id);
        require(request != host_.requests.end(), pool.key.str() + ": a waiter is a request");
        if (request == host_.requests.end()) continue;
        require(request->second.stage == stage, pool.key.str() + ": a waiter waits");
        require(request->second.acquire.ticket > last, pool.key.str() + ": waiters stand in order of arrival");
        last = request->second.acquire.ticket;
      }
    };
    by_ticket(pool.queue, Stage::queued);
    by_ticket(pool.waiting, Stage::waiting);
    require(!pool.load || job(pool.load) != nullptr, pool.key.str() + ": a load runs");
    require(!pool.read_back || job(pool.read_back) != nullptr, pool.key.str() + ": a reading runs");
  }

  void check_jobs() {
    std::map<std::pair<PoolKey, SlotId>, JobId> slots;
    std::map<SourceId, JobId> writers;
    std::array<std::size_t, kJobClasses> running{};
    for (const auto& [id, each] : host_.jobs) {
      if (!each.started) continue;
      if (std::holds_alternative<job::Advance>(each.spec)) {
        const auto pool = host_.pools.find(each.pool);
        const bool there = pool != host_.pools.end() && pool->second.slots.contains(each.slots.front());
        require(!there || !pool->second.slots.at(each.slots.front()).lease ||
                    pool->second.slots.at(each.slots.front()).phase == Phase::acquiring,
                "nobody's tree is moved: " + each.slots.front().str());
      }
      ++running[static_cast<std::size_t>(each.job_class)];
      for (const SlotId& slot : each.slots) {
        require(slots.emplace(std::pair(each.pool, slot), id).second, "one job a slot: " + slot.str());
      }
      if (each.has_writer) require(writers.emplace(each.source, id).second, "one writer a source: " + each.source.str());
    }
    require(running == host_.running, "running jobs are counted");
    require(running[0] <= std::max<std::size_t>(2, host_.settings.answering_limit), "answering jobs keep to their limit");
    require(running[1] <= std::max<std::size_t>(1, host_.settings.recycling_limit), "recycling jobs keep to their limit");
    require(running[2] <= std::max<std::size_t>(1, host_.settings.background_limit), "background jobs keep to their limit");
    require(running[3] <= std::max<std::size_t>(1, host_.settings.network_limit), "fetches keep to their limit");
    require(running[4] <= std::max<std::size_t>(1, host_.settings.ending_limit), "ends of processes keep to their limit");
  }

  void check_requests() {
    for (const auto& [id, request] : host_.requests) {
      const std::string who = "request " + std::to_string(id.value()) + ": ";
      for (const JobId each : request.jobs) require(host_.jobs.contains(each), who + "its job exists");
      switch (request.stage) {
        case Stage::parked:
          require(std::any_of(host_.pools.begin(), host_.pools.end(), [](const auto& p) { return p.second.loading(); }),
                  who + "parked while a pool is loaded");
          break;
        case Stage::resolving:
          require(!request.jobs.empty(), who + "works by a job");
          break;
        case Stage::running:
          require(!request.jobs.empty() || (request.sweeping && !request.sweeping->releasing.empty()), who + "works by a job");
          break;
        case Stage::warming:
          require(host_.pools.contains(request.pool), who + "waits for slots of a pool");
          break;
        case Stage::landing:
          require(request.landing.has_value(), who + "has a landing");
          break;
        case Stage::placed: {
          require(!request.jobs.empty(), who + "works by a job");
          const Slot* slot = slot_of(request);
          require(slot != nullptr && slot->phase == Phase::acquiring && slot->acquire == id && slot->lease &&
                      slot->lease->id == request.acquire.plan.lease.id,
                  who + "has its slot");
          break;
        }
        case Stage::following:
          require(request.leader && host_.requests.contains(*request.leader), who + "follows a request");
          break;
        case Stage::fetching:
          require(std::any_of(host_.sources.begin(), host_.sources.end(),
                              [&waiter = id](const auto& s) { return s.second.line.waits(waiter); }),
                  who + "has joined a fetch");
          break;
        case Stage::filling:
          require(std::any_of(host_.fillings.begin(), host_.fillings.end(),
                              [&waiter = id](const auto& f) {
                                const auto& waiters = f.second.waiters;
                                return f.second.asker == waiter ||
                                       std::find(waiters.begin(), waiters.end(), waiter) != waiters.end();
                              }),
                  who + "waits for an entry in the making");
          break;
        case Stage::queued:
        case Stage::waiting: {
          const auto pool = host_.pools.find(request.pool);
          require(pool != host_.pools.end(), who + "waits in a pool");
          if (pool == host_.pools.end()) break;
          const auto& list = request.stage == Stage::queued ? pool->second.queue : pool->second.waiting;
          require(std::count(list.begin(), list.end(), id) == 1, who + "stands once in its line");
          break;
        }
        case Stage::releasing:
        case Stage::recycling: {
          const Slot* slot = slot_of(request);
          require(slot != nullptr, who + "waits for a slot");
          if (slot == nullptr) break;
          const auto& list = request.stage == Stage::releasing ? slot->releases : slot->recycle_waits;
          require(std::count(list.begin(), list.end(), id) == 1, who + "is known to its slot");
          break;
        }
      }
    }
  }

  const Host& host_;
  std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_invariants(const Host& host) { return Check(host).run(); }

}  // namespace wtpool::core
