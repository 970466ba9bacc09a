// Random histories of everything that can happen to the core, against its invariants. Each number of a history is one
// happening; a failing history is shrunk and printed with its seed, which RC_PARAMS="reproduce=..." plays again.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <iostream>
#include <map>
#include <set>

#include "daemon/core/rules/reconcile.hpp"
#include "daemon/core/step.hpp"

namespace wtpool::core {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kHappenings = 1600;

Oid oid(unsigned number) {
  std::string text(40, '0');
  text[39] = static_cast<char>('0' + number % 10);
  text[38] = 'a';
  return Oid(text);
}

class World {
 public:
  World() {
    host.settings.queue_limit = 6;
    host.settings.root = "/pools";
    host.settings.answering_limit = 3;
    host.settings.seal_watches = 20;
    host.settings.seal_slots = 4;
    host.settings.tip_every = seconds(7);
    for (const char* key : {"one", "two"}) pools_.push_back({PoolKey(key), "f0", 1});
  }

  Host host;
  std::set<RequestId> waiting;
  std::map<JobId, effect::StartJob> jobs;
  bool drained = false;
  std::size_t steps = 0;

  void play(std::uint32_t number) {
    random_ = number;
    const auto kind = pick(100);
    if (kind < 22) return acquire();
    if (kind < 30) return release();
    if (kind < 72) return finish_some(false);
    if (kind < 76) return cancel();
    if (kind < 80) return close_session();
    if (kind < 88) return pass_time();
    if (kind < 91) return see_pools();
    if (kind < 93) return writer_back();
    if (kind < 94) return owner_gone();
    if (kind < 97) return tree_stirs();
    return other();
  }

  void end() {
    for (int round = 0; round < 50; ++round) {
      while (!jobs.empty()) finish_some(true);
      pass(seconds(30));
    }
    while (!jobs.empty()) finish_some(true);
    for (const auto& [key, pool] : host.pools) {
      for (const auto& [id, slot] : pool.slots) {
        const bool rests = slot.phase == Phase::fresh || slot.phase == Phase::idle || slot.phase == Phase::held ||
                           slot.phase == Phase::quarantined;
        RC_ASSERT(rests || !pool.ready());
      }
    }
    happen(event::Shutdown{});
    while (!jobs.empty()) finish_some(true);
    for (std::uint64_t session = 1; session <= 5; ++session) happen(event::SessionClosed{SessionId(session)});
    while (!jobs.empty()) finish_some(true);
    RC_ASSERT(drained);
    RC_ASSERT(waiting.empty());
    const RequestId late = ask(proto::PoolListParams{}, SessionId(1));
    RC_ASSERT(!waiting.contains(late));
  }

 private:
  std::uint32_t pick(std::uint32_t below) {
    random_ = random_ * 1664525u + 1013904223u;
    return (random_ >> 8) % below;
  }

  void happen(const Event& event) {
    std::set<JobId> placed;  // a job that goes on for another request is no new placement
    for (const auto& [id, request] : host.requests) {
      if (request.stage == Stage::placed) placed.insert(*request.jobs.begin());
    }
    ++steps;
    const Effects effects = step(host, event, now_);
    bool answered = false;
    for (const Effect& each : effects) look_at(each, event, answered);
    seals_are_true();
    const auto broken = broken_invariants(host);
    if (!broken.empty()) RC_FAIL(broken.front());
    for (const auto& [id, request] : host.requests) {
      if (request.stage == Stage::placed && !placed.contains(*request.jobs.begin())) nobody_was_before(request);
    }
    for (const auto& [id, request] : host.requests) RC_ASSERT(waiting.contains(id));
    RC_ASSERT(waiting.size() == host.requests.size());
  }

  void look_at(const Effect& effect, const Event& event, bool& answered) {
    if (const auto* reply = std::get_if<effect::Reply>(&effect)) {
      answered = true;
      RC_ASSERT(waiting.erase(reply->request) == 1u);
      if (const auto* got = std::get_if<proto::AcquireResult>(&reply->result)) {
        const Slot& slot = host.pools.at(PoolKey(got->pool)).slots.at(SlotId(got->slot));
        RC_ASSERT(slot.lease && slot.lease->id.str() == got->lease_id);
        const auto* finished = std::get_if<event::JobFinished>(&event);
        RC_ASSERT(reply->receipt.has_value() || !slot.receipt.has_value());
        RC_ASSERT(finished != nullptr || slot.lease->key.has_value());
      }
    } else if (const auto* refuse = std::get_if<effect::Refuse>(&effect)) {
      answered = true;
      RC_ASSERT(waiting.erase(refuse->request) == 1u);
    } else if (const auto* tell = std::get_if<effect::Tell>(&effect)) {
      RC_ASSERT(!answered);
      RC_ASSERT(waiting.contains(tell->request));
    } else if (const auto* emit = std::get_if<effect::Emit>(&effect)) {
      RC_ASSERT(!answered);
      RC_ASSERT(emit->note.seq == ++seq_);
    } else if (const auto* job = std::get_if<effect::StartJob>(&effect)) {
      RC_ASSERT(jobs.emplace(job->grant.job, *job).second);
      look_at_job(*job);
    } else if (const auto* stop = std::get_if<effect::StopJob>(&effect)) {
      RC_ASSERT(jobs.contains(stop->job));
    } else if (const auto* drop = std::get_if<effect::DropSeal>(&effect)) {
      seals_.erase({drop->pool, drop->slot});
    } else if (std::holds_alternative<effect::Drained>(effect)) {
      RC_ASSERT(!drained);
      drained = true;
    }
  }

  // A slot that is said to be sealed has a seal, and no more are watched than may be.
  void seals_are_true() {
    std::size_t slots = 0;
    std::size_t watches = 0;
    for (const auto& [key, pool] : host.pools) {
      for (const auto& [id, slot] : pool.slots) {
        if (!slot.sealed) continue;
        RC_ASSERT(slot.phase == Phase::idle);
        RC_ASSERT(seals_.contains({key, id}));
        ++slots;
        watches += slot.watches;
      }
    }
    RC_ASSERT(slots <= host.settings.seal_slots);
    RC_ASSERT(watches <= host.settings.seal_watches);
  }

  void tree_stirs() {
    if (seals_.empty()) return;
    auto each = seals_.begin();
    std::advance(each, pick(static_cast<std::uint32_t>(seals_.size())));
    const auto [pool, slot] = *each;
    seals_.erase(each);
    happen(event::Unsealed{pool, slot});
    const Pool* of = find_pool(host, pool);
    RC_ASSERT(of == nullptr || !of->slots.contains(slot) || !of->slots.at(slot).sealed);
  }

  // What a job is for was asked, and the steps of a release come in their order.
  void look_at_job(const effect::StartJob& job) {
    if (const auto* acquire = std::get_if<job::Acquire>(&job.spec)) {
      if (acquire->sealed) seals_.erase({job.grant.pool, job.grant.slot});
    } else if (std::holds_alternative<job::Advance>(job.spec)) {
      RC_ASSERT(seals_.erase({job.grant.pool, job.grant.slot}) == 1u);
    } else if (const auto* ends = std::get_if<job::EndProcesses>(&job.spec)) {
      const Slot& slot = host.pools.at(job.grant.pool).slots.at(job.grant.slot);
      RC_ASSERT(slot.lease && slot.lease->id == ends->lease && slot.lease->kind != LeaseKind::durable);
      RC_ASSERT(ends->group == slot.process_group);
    } else if (const auto* release = std::get_if<job::Release>(&job.spec)) {
      RC_ASSERT(release->lease.kind != LeaseKind::connection || processes_gone_.contains(release->lease.id));
      processes_gone_.erase(release->lease.id);
    } else if (std::holds_alternative<job::DeleteRemote>(job.spec)) {
      RC_ASSERT(asked_to_delete_);
    }
  }

  void nobody_was_before(const Request& placed) {
    const auto& got = std::get<proto::AcquireParams>(placed.params);
    for (const RequestId id : host.pools.at(placed.pool).queue) {
      const Request& other = host.requests.at(id);
      const auto& wants = std::get<proto::AcquireParams>(other.params);
      const bool compatible = wants.group == got.group && !wants.unique_sha && !other.acquire.passed.contains(placed.slot) &&
                              !other.acquire.set_aside.contains(placed.slot);
      RC_ASSERT(!compatible || other.acquire.ticket > placed.acquire.ticket);
    }
  }

  RequestId ask(proto::Params params, SessionId session) {
    const RequestId id(++last_request_);
    event::Request request;
    request.id = id;
    request.session = session;
    request.params = std::move(params);
    std::string lease = std::to_string(last_request_);
    request.lease_id = LeaseId(std::string(32 - lease.size(), '0') + lease);
    if (const auto* p = std::get_if<proto::AcquireParams>(&request.params); p != nullptr && p->owner_pid) {
      request.owner = Owner{*p->owner_pid, 7, "boot"};
    }
    if (const auto* p = std::get_if<proto::ConfirmParams>(&request.params); p != nullptr && p->process_group) {
      request.owner = Owner{*p->process_group, 8, "boot"};
    }
    if (const auto* p = std::get_if<proto::ResumeParams>(&request.params); p != nullptr && p->process_group) {
      request.owner = Owner{*p->process_group, 9, "boot"};
    }
    if (!see_before_) {
      happen(event::PoolsSeen{pools_});
      see_before_ = true;
    }
    waiting.insert(id);
    if (const auto* p = std::get_if<proto::ReleaseParams>(&request.params)) asked_to_delete_ |= p->delete_remote;
    happen(request);
    return id;
  }

  SessionId session() { return SessionId(1 + pick(5)); }
  std::string name() { return "name-" + std::string(1, static_cast<char>('a' + pick(7))); }
  std::string pool() { return pick(3) == 0 ? "two" : "one"; }
  std::string slot() {
    return pick(3) == 0 ? "slot-" + std::to_string(pick(3)) : (pick(2) == 0 ? "ios-" : "mac-") + std::to_string(pick(3));
  }

  void acquire() {
    proto::AcquireParams params;
    params.scope.pool = pool();
    params.name = name();
    if (*params.scope.pool == "one") params.group = pick(2) == 0 ? "ios" : "mac";
    if (pick(3) == 0) params.commit = oid(pick(3)).str();
    params.unique_sha = pick(6) == 0;
    params.resume = pick(8) == 0;
    params.replace = !params.resume && pick(8) == 0;
    if (pick(2) == 0) params.wait_ms = pick(2) == 0 ? 0 : 1000 * pick(30);
    if (pick(5) == 0) params.ttl_seconds = 1 + pick(60);
    if (pick(6) == 0) params.lease_kind = LeaseKind::connection;
    if (!params.lease_kind && pick(8) == 0) params.owner_pid = 42;
    if (pick(3) == 0) params.key = "key-" + params.name;
    params.confirm = pick(3) == 0;
    if (pick(6) == 0) params.deadline_ms = 1000 * pick(20);
    params.progress = pick(2) == 0;
    ask(params, session());
  }

  void release() {
    proto::ReleaseParams params;
    params.scope.pool = pool();
    if (pick(4) == 0) {
      params.target.slot = slot();
    } else {
      params.target.target = name();
    }
    if (pick(4) == 0) params.dirty = pick(2) == 0 ? Dirty::refuse : Dirty::discard;
    params.wait = pick(3) == 0;
    params.delete_remote = pick(4) == 0;
    params.progress = true;
    if (pick(6) == 0) params.deadline_ms = 1000 * pick(5);
    ask(params, session());
  }

  void other() {
    const proto::Scope scope{pool(), std::nullopt};
    switch (pick(13)) {
      case 12:
        ask(proto::HostDoctorParams{true}, session());
        return;
      case 0:
        ask(proto::SlotListParams{scope, pick(2) == 0}, session());
        return;
      case 1:
        ask(proto::SlotListParams{{}, true}, session());
        return;
      case 2:
        ask(proto::SlotRepairParams{scope, slot(), false}, session());
        return;
      case 3:
        ask(proto::SlotRemoveParams{scope, slot()}, session());
        return;
      case 4:
        ask(proto::RenewParams{scope, {name(), {}, {}, {}}, pick(2) == 0 ? std::optional<std::int64_t>(9) : std::nullopt},
            session());
        return;
      case 5:
        ask(proto::HostStatusParams{}, session());
        return;
      case 6:
        ask(proto::TrashListParams{}, session());
        return;
      case 7:
        ask(proto::SlotPathParams{scope, {name(), {}, {}, {}}}, session());
        return;
      case 8:
        ask(proto::SlotRepairParams{scope, slot(), true}, session());
        return;
      case 9:
        if (pick(4) == 0) {
          ask(proto::PoolRemoveParams{pool()}, session());
        } else {
          ask(proto::HostReloadParams{}, session());
        }
        return;
      default: {
        std::vector<std::string> leases;
        for (const auto& [key, each] : host.pools) {
          for (const auto& [id, held] : each.slots) {
            if (held.lease) leases.push_back(held.lease->id.str());
          }
        }
        if (leases.empty()) return;
        const std::string lease = leases[pick(static_cast<std::uint32_t>(leases.size()))];
        if (pick(4) == 0) {
          proto::ResumeParams params;
          params.lease_id = lease;
          if (pick(2) == 0) params.process_group = 43;
          ask(params, session());
        } else {
          proto::ConfirmParams params;
          params.lease_id = lease;
          if (pick(2) == 0) params.process_group = 43;
          ask(params, session());
        }
      }
    }
  }

  void cancel() {
    if (waiting.empty()) return;
    auto each = waiting.begin();
    std::advance(each, pick(static_cast<std::uint32_t>(waiting.size())));
    happen(event::Cancel{*each});
  }
  void close_session() { happen(event::SessionClosed{session()}); }
  void pass(nanoseconds time) {
    now_.awake += time;
    now_.wall += std::chrono::duration_cast<seconds>(time).count();
    for (int times = 0; times < 20; ++times) {
      const auto next = next_deadline(host);
      if (!next || *next > now_.awake) break;
      happen(event::Tick{});
    }
    const auto next = next_deadline(host);
    RC_ASSERT(!next || *next > now_.awake);
  }
  void pass_time() { pass(pick(3) == 0 ? nanoseconds(seconds(pick(20))) : milliseconds(pick(900))); }
  void see_pools() {
    switch (pick(4)) {
      case 0:
        pools_[pick(2)].fingerprint = "f" + std::to_string(++config_);
        break;
      case 1:
        pools_[pick(2)].device = 1 + pick(2);
        break;
      default:
        for (auto& each : pools_) each.device = 1;
    }
    happen(event::PoolsSeen{pools_});
  }
  void writer_back() {
    for (const auto& [id, job] : jobs) {
      if (job.grant.source_writer) return happen(event::WriterReleased{id, job.grant.slot.str()});
    }
  }
  void owner_gone() {
    for (const auto& [key, each] : host.pools) {
      for (const auto& [id, held] : each.slots) {
        if (held.lease && held.lease->owner) return happen(event::OwnerGone{held.lease->id});
      }
    }
  }

  SlotFacts facts_of(const Slot& slot, bool sound) {
    SlotFacts facts;
    facts.slot = slot.id;
    if (slot.phase == Phase::fresh) return facts;
    facts.git_id = slot.id.str();
    facts.entry = SlotFacts::Entry::sound;
    facts.directory = SlotFacts::Directory::sound;
    facts.head = oid(1);
    if (slot.phase == Phase::quarantined) facts.quarantine = slot.reason;
    if (slot.lease) {
      facts.marker_read = SlotFacts::MarkerRead::sound;
      facts.marker = Marker{*slot.lease, MarkerState::held, {}, {}};
    }
    if (sound || pick(12) != 0) return facts;
    switch (pick(5)) {
      case 0:
        facts.directory = SlotFacts::Directory::no_gitfile;
        break;
      case 1:
        facts.entry = SlotFacts::Entry::torn;
        break;
      case 2:
        facts.marker_read = SlotFacts::MarkerRead::unreadable;
        facts.marker.reset();
        break;
      case 3:
        facts.marker_read = SlotFacts::MarkerRead::absent;
        facts.marker.reset();
        break;
      default:
        facts.marker_read = SlotFacts::MarkerRead::sound;
        facts.marker = Marker{};
        facts.marker->lease.id = LeaseId("someone-else");
        facts.marker->lease.name = "stranger";
    }
    return facts;
  }

  // A connection lease that the last daemon granted.
  SlotFacts left_by_a_run(const std::string& slot) {
    SlotFacts facts;
    facts.slot = SlotId(slot);
    facts.git_id = slot;
    facts.entry = SlotFacts::Entry::sound;
    facts.directory = SlotFacts::Directory::sound;
    facts.head = oid(1);
    facts.marker_read = SlotFacts::MarkerRead::sound;
    facts.marker = Marker{};
    facts.marker->lease.id = LeaseId("left-in-" + slot);
    facts.marker->lease.name = name();
    facts.marker->lease.kind = LeaseKind::connection;
    return facts;
  }

  JobOutcome outcome_of(const effect::StartJob& job, bool good) {
    const auto fails = [&](std::uint32_t one_in) { return !good && pick(one_in) == 0; };
    const auto fault = [&]() -> JobOutcome {
      constexpr Fault kFaults[] = {Fault::slot_busy,    Fault::slot_fault, Fault::quarantine,
                                   Fault::source_fault, Fault::host_fault, Fault::cancelled};
      return JobFailed{kFaults[pick(6)], Error(pick(3) == 0 ? ErrorKind::bad_config : ErrorKind::io_error, "it failed"),
                       pick(3) == 0};
    };
    if (fails(5)) return fault();
    const auto idle = [&]() { return done::Idle{oid(pick(3)), oid(5), job.grant.slot.str(), {}, {}, pick(5) == 0}; };
    if (const auto* load = std::get_if<job::LoadPool>(&job.spec)) {
      done::LoadedPool loaded;
      loaded.config.source = "/src";
      loaded.config.default_commit = "main";
      loaded.config.max_slots = good ? 3 : 2 + static_cast<int>(pick(2));
      if (load->pool.str() == "one") loaded.config.groups = {"ios", "mac"};
      if (pick(3) == 0) loaded.config.fetch.when = FetchPolicy::When::always;
      loaded.place = {"/pools/" + load->pool.str(), SourceId("/src/.git"), "/src", 1};
      const auto found = host.pools.find(load->pool);
      if (found != host.pools.end() && !found->second.place && pick(2) == 0) {
        loaded.slots.push_back(left_by_a_run(load->pool.str() == "one" ? "ios-0" : "slot-0"));
      } else if (found != host.pools.end()) {
        for (const auto& [id, each] : found->second.slots) loaded.slots.push_back(facts_of(each, good));
      }
      return JobDone{loaded};
    }
    if (const auto* read = std::get_if<job::ReadBack>(&job.spec)) {
      done::ReadSlots slots;
      for (const SlotId& id : read->slots) {
        const Pool* of = find_pool(host, read->pool);  // it may have been removed while it was read
        if (of != nullptr && of->slots.contains(id)) slots.slots.push_back(facts_of(of->slots.at(id), good));
      }
      return JobDone{slots};
    }
    if (std::holds_alternative<job::Resolve>(job.spec)) {
      done::Resolved resolved;
      if (good || pick(8) != 0) resolved.commit = oid(pick(3));
      resolved.tree = oid(5);
      if (pick(6) == 0) resolved.branch_tip = oid(pick(3));
      if (!good && pick(20) == 0) resolved.checked_out_at = "/elsewhere";
      return JobDone{resolved};
    }
    if (const auto* heal = std::get_if<job::Heal>(&job.spec)) {
      done::Healed healed;
      const Pool* of = find_pool(host, heal->pool);
      for (const SlotId& id : heal->slots) {
        const bool whole = of == nullptr || !of->slots.contains(id) || of->slots.at(id).phase == Phase::idle;
        if (!good && !whole && pick(4) == 0) healed.freed.push_back(id);
      }
      return JobDone{healed};
    }
    if (std::holds_alternative<job::Fetch>(job.spec)) return JobDone{done::Fetched{}};
    if (const auto* acquire = std::get_if<job::Acquire>(&job.spec)) {
      return JobDone{done::Acquired{Durable::for_tests(), job.grant.slot.str(), acquire->lease, oid(5), false, {"a warning"}}};
    }
    if (std::holds_alternative<job::Release>(job.spec)) {
      done::Released released;
      released.entry_gone = pick(10) == 0;
      if (pick(3) == 0) released.kept = "trash";
      return JobDone{released};
    }
    if (std::holds_alternative<job::Recycle>(job.spec)) return JobDone{idle()};
    if (std::holds_alternative<job::Recover>(job.spec) || std::holds_alternative<job::Repair>(job.spec)) {
      if (pick(2) == 0) return JobDone{done::Fresh{}};
      return JobDone{idle()};
    }
    if (std::holds_alternative<job::LookAtTip>(job.spec)) {
      if (!good) tip_ = pick(3);
      return JobDone{done::TipSeen{oid(tip_), {oid(tip_), oid((tip_ + 1) % 3)}}};
    }
    if (std::holds_alternative<job::Advance>(job.spec)) {
      if (!good && pick(4) == 0) return JobDone{done::NotSealed{done::NotSealed::Why::busy, "it was touched"}};
      return JobDone{idle()};
    }
    if (const auto* seal = std::get_if<job::Seal>(&job.spec)) {
      const auto watches = 1 + pick(9);
      if (watches > seal->watch_limit) return JobDone{done::NotSealed{done::NotSealed::Why::limit, "too many"}};
      if (!good && pick(4) == 0) return JobDone{done::NotSealed{static_cast<done::NotSealed::Why>(pick(4)), "no"}};
      return JobDone{done::Sealed{oid(pick(3)), oid(5), watches}};
    }
    if (std::holds_alternative<job::GitStatus>(job.spec)) return JobDone{done::StatusRead{}};
    if (std::holds_alternative<job::ListTrash>(job.spec)) return JobDone{done::TrashListed{}};
    return JobDone{done::Plain{}};
  }

  void finish_some(bool good) {
    if (jobs.empty()) return;
    auto each = jobs.begin();
    if (!good) std::advance(each, pick(static_cast<std::uint32_t>(jobs.size())));
    const effect::StartJob job = each->second;
    jobs.erase(each);
    JobOutcome outcome = outcome_of(job, good);
    if (const auto* ends = std::get_if<job::EndProcesses>(&job.spec); ends != nullptr && outcome.index() == 0) {
      processes_gone_.insert(ends->lease);
    }
    if (const auto* done = std::get_if<JobDone>(&outcome); done != nullptr && std::holds_alternative<done::Sealed>(*done)) {
      seals_.emplace(job.grant.pool, job.grant.slot);
    }
    happen(event::JobFinished{job.grant.job, std::move(outcome)});
  }

  std::set<std::pair<PoolKey, SlotId>> seals_;
  std::uint32_t tip_ = 0;
  std::uint32_t random_ = 0;
  std::uint64_t last_request_ = 0;
  std::int64_t seq_ = 0;
  int config_ = 0;
  bool see_before_ = false;
  bool asked_to_delete_ = false;
  std::set<LeaseId> processes_gone_;  // of leases whose Release has not been started since
  Now now_{seconds(1000), 1'700'000'000};
  std::vector<event::PoolsSeen::Pool> pools_;
};

TEST(Histories, KeepEveryInvariantAndAnswerEveryRequestOnce) {
  std::size_t steps = 0;
  const bool held = rc::check("every history", [&] {
    const auto numbers =
        *rc::gen::container<std::vector<std::uint32_t>>(kHappenings, rc::gen::inRange<std::uint32_t>(0, 0x7fffffff));
    World world;
    for (const std::uint32_t number : numbers) world.play(number);
    world.end();
    steps += world.steps;
  });
  EXPECT_TRUE(held);
  RecordProperty("steps", static_cast<int>(steps));
  std::cout << steps << " steps\n";
  EXPECT_GE(steps, 100'000u);
}

}  // namespace
}  // namespace wtpool::core
