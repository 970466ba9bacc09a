// A desk at which the core is driven by hand: requests go in, jobs are played by the test, the clock is turned.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "daemon/core/step.hpp"

namespace wtpool::core {

inline Oid commit(char digit) { return Oid(std::string(40, digit)); }

class Desk : public ::testing::Test {
 protected:
  static constexpr SessionId kSession{1};

  Host host;
  Now now{seconds(100), 1'700'000'000};
  Effects effects;  // of the last event
  std::map<RequestId, proto::Result> replies;
  std::map<RequestId, std::optional<Durable>> receipts;
  std::map<RequestId, Error> refusals;
  std::map<JobId, effect::StartJob> jobs;
  PoolConfig config;
  std::vector<SlotFacts> facts;
  bool drained = false;

  Desk() {
    host.settings.root = "/pools";
    host.settings.answering_limit = 8;
    config.source = "/src";
    config.default_commit = "refs/remotes/origin/main";
    config.max_slots = 2;
  }

  void happen(const Event& event) {
    effects = step(host, event, now);
    for (const Effect& each : effects) {
      if (const auto* reply = std::get_if<effect::Reply>(&each)) {
        replies[reply->request] = reply->result;
        receipts[reply->request] = reply->receipt;
      }
      if (const auto* refuse = std::get_if<effect::Refuse>(&each)) refusals[refuse->request] = refuse->error;
      if (const auto* start = std::get_if<effect::StartJob>(&each)) jobs[start->grant.job] = *start;
      if (std::holds_alternative<effect::Drained>(each)) drained = true;
    }
    EXPECT_EQ(broken_invariants(host), std::vector<std::string>{});
  }

  void open_pool() {
    happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}}});
    end<job::LoadPool>(loaded());
  }
  done::LoadedPool loaded() { return {config, {"/pools/app", SourceId("/src/.git"), "/src", 1}, facts, {}}; }

  RequestId ask(proto::Params params, SessionId session = kSession, std::optional<Owner> owner = {}) {
    const RequestId id(++last_);
    std::string lease = std::to_string(last_);
    happen(event::Request{id, session, std::move(params), LeaseId(std::string(32 - lease.size(), '0') + lease), owner});
    return id;
  }
  static proto::AcquireParams acquiring(const std::string& name) {
    proto::AcquireParams params;
    params.name = name;
    return params;
  }
  static proto::ReleaseParams releasing(const std::string& name) {
    proto::ReleaseParams params;
    params.target.target = name;
    return params;
  }

  // A slot as it stands on disk: sound, with the marker if there is one.
  static SlotFacts seen(const std::string& id, std::optional<Marker> marker = {}) {
    SlotFacts found;
    found.slot = SlotId(id);
    found.git_id = id;
    found.entry = SlotFacts::Entry::sound;
    found.directory = SlotFacts::Directory::sound;
    found.head = commit('a');
    if (marker) {
      found.marker_read = SlotFacts::MarkerRead::sound;
      found.branch = marker->lease.name;
      found.marker = std::move(marker);
    }
    return found;
  }
  static Marker marker_of(const std::string& name, LeaseKind kind = LeaseKind::durable, MarkerState state = MarkerState::held) {
    Marker marker;
    marker.lease.id = LeaseId("lease-" + name);
    marker.lease.name = name;
    marker.lease.kind = kind;
    marker.lease.started_at = 1'699'999'000;
    marker.lease.full_sha = commit('a');
    marker.lease.branch_base = commit('a');
    marker.state = state;
    return marker;
  }
  // Somebody who had changed something goes, and a moment later the slots are read.
  void begin_reading() {
    host.changed_by[SessionId(99)].insert(PoolKey("app"));
    happen(event::SessionClosed{SessionId(99)});
    pass(std::chrono::milliseconds(100));
  }
  // The same; what stands on disk then is `found`.
  void read_back(std::vector<SlotFacts> found) {
    begin_reading();
    end<job::ReadBack>(done::ReadSlots{std::move(found)});
  }

  template <class Spec>
  const effect::StartJob* running() const {
    for (const auto& [id, job] : jobs) {
      if (std::holds_alternative<Spec>(job.spec)) return &job;
    }
    return nullptr;
  }
  template <class Spec>
  void end_with(JobOutcome outcome) {
    const auto* job = running<Spec>();
    ASSERT_NE(job, nullptr);
    const JobId id = job->grant.job;
    jobs.erase(id);
    happen(event::JobFinished{id, std::move(outcome)});
  }
  template <class Spec>
  void end(JobDone done) {
    end_with<Spec>(JobOutcome(std::move(done)));
  }
  template <class Spec>
  void fail(Fault fault, ErrorKind kind = ErrorKind::io_error) {
    end_with<Spec>(JobFailed{fault, Error(kind, "it failed")});
  }

  void resolve(char digit = 'a') {
    done::Resolved resolved;
    resolved.commit = commit(digit);
    resolved.tree = commit('7');
    end<job::Resolve>(resolved);
  }
  void finish_acquire() {
    const auto* job = running<job::Acquire>();
    ASSERT_NE(job, nullptr);
    end<job::Acquire>(done::Acquired{
        Durable::for_tests(), job->grant.slot.str(), std::get<job::Acquire>(job->spec).lease, commit('7'), false, {}});
  }
  RequestId hold(const std::string& name, char digit = 'a') {
    const RequestId id = ask(acquiring(name));
    resolve(digit);
    finish_acquire();
    EXPECT_TRUE(replies.contains(id));
    return id;
  }
  void recycle() { end<job::Recycle>(done::Idle{commit('a'), commit('7'), "slot-0", {}, {}, false}); }
  void pass(nanoseconds time) {
    now.awake += time;
    happen(event::Tick{});
  }
  bool warned(const std::string& part) const {
    for (const Effect& each : effects) {
      const auto* tell = std::get_if<effect::Tell>(&each);
      const auto* warning = tell == nullptr ? nullptr : std::get_if<proto::Warning>(&tell->note);
      if (warning != nullptr && warning->message.find(part) != std::string::npos) return true;
    }
    return false;
  }
  const Slot& slot(const std::string& id) { return host.pools.at(PoolKey("app")).slots.at(SlotId(id)); }
  ErrorKind refused(RequestId id) {
    EXPECT_TRUE(refusals.contains(id));
    return refusals[id].kind;
  }

 private:
  std::uint64_t last_ = 0;
};

}  // namespace wtpool::core
