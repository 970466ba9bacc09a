// The table of consequences, row by row: each job is failed with each fault in a running core, and what follows is told from
// what the core does then.
#include "daemon/core/rules/consequences.hpp"

#include <ostream>

#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

using enum Consequence;

constexpr Fault kFaults[] = {Fault::none,         Fault::slot_busy,  Fault::slot_fault, Fault::quarantine,
                             Fault::source_fault, Fault::host_fault, Fault::cancelled};
constexpr const char* kFaultNames[] = {"None", "SlotBusy", "SlotFault", "Quarantine", "SourceFault", "HostFault", "Cancelled"};

struct Row {
  const char* name;
  Doing doing;
  std::array<Consequence, std::size(kFaults)> expected;
};
std::ostream& operator<<(std::ostream& stream, const Row& row) { return stream << row.name; }

constexpr Row kRows[] = {
    {"Loading", Doing::loading, {degrade, wait_for_lock, degrade, degrade, degrade, degrade, degrade}},
    {"Acquiring", Doing::acquiring, {tell, pass_over, set_aside, quarantine_slot, tell, tell, tell}},
    {"EndingProcesses", Doing::ending_processes, {tell, tell, tell, quarantine_slot, tell, tell, try_again}},
    {"Releasing", Doing::releasing, {tell, tell, tell, quarantine_slot, tell, tell, try_again}},
    {"Recycling", Doing::recycling, {count, wait_for_lock, count, quarantine_slot, count, wait_for_host, try_again}},
    {"Recovering", Doing::recovering, {count, wait_for_lock, count, quarantine_slot, count, wait_for_host, try_again}},
    {"Recording",
     Doing::recording,
     {wait_for_host, wait_for_host, wait_for_host, wait_for_host, wait_for_host, wait_for_host, wait_for_host}},
    {"Tending", Doing::tending, {try_again, try_again, try_again, try_again, try_again, try_again, try_again}},
    {"Asked", Doing::asked, {tell, tell, tell, tell, tell, tell, tell}},
};
static_assert(std::size(kRows) == kDoingCount);

class Faulted : public Desk, public ::testing::WithParamInterface<std::tuple<Row, int>> {
 protected:
  Fault fault() const { return kFaults[std::get<1>(GetParam())]; }

  Consequence of_loading() {
    happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}}});
    ask(acquiring("x"));  // who waits for the pool to be there
    fail<job::LoadPool>(fault());
    const Pool& pool = host.pools.at(PoolKey("app"));
    EXPECT_NE(pool.load_retry.has_value(), pool.unavailable.has_value());
    return pool.load_retry ? wait_for_lock : degrade;
  }
  Consequence of_acquiring() {
    open_pool();
    const RequestId id = ask(acquiring("x"));
    resolve();
    fail<job::Acquire>(fault());
    if (refusals.contains(id)) {
      EXPECT_EQ(slot("slot-0").phase, Phase::fresh);
      return tell;
    }
    EXPECT_EQ(running<job::Acquire>()->grant.slot, SlotId("slot-1")) << "the request goes on";
    if (slot("slot-0").phase == Phase::quarantined) return quarantine_slot;
    return slot("slot-0").faults > 0 ? set_aside : pass_over;
  }
  template <class Spec>
  Consequence of_ending(RequestId release) {
    const std::string id = std::get<proto::AcquireResult>(replies.begin()->second).slot;
    fail<Spec>(fault());
    if (slot(id).phase == Phase::quarantined) return quarantine_slot;
    if (running<Spec>() != nullptr) return try_again;
    EXPECT_TRUE(refusals.contains(release));
    EXPECT_EQ(slot(id).phase, Phase::held);
    return tell;
  }
  Consequence of_ending_processes() {
    open_pool();
    auto params = acquiring("x");
    params.lease_kind = LeaseKind::connection;
    ask(params);
    resolve();
    finish_acquire();
    return of_ending<job::EndProcesses>(ask(releasing("x")));
  }
  Consequence of_releasing() {
    open_pool();
    hold("x");
    return of_ending<job::Release>(ask(releasing("x")));
  }
  template <class Spec>
  Consequence of_upkeep(std::optional<RequestId> waiter) {
    fail<Spec>(fault());
    if (slot("slot-0").phase == Phase::quarantined) return quarantine_slot;
    if (slot("slot-0").orphan_ends) return wait_for_lock;
    const nanoseconds again = *slot("slot-0").retry_at - now.awake;
    for (int times = 0; times < 2; ++times) {
      pass(seconds(5));
      fail<Spec>(fault());
    }
    if (slot("slot-0").phase == Phase::quarantined) return count;
    const bool told_at_once = !waiter || refusals.contains(*waiter);
    return told_at_once && again >= seconds(5) ? wait_for_host : try_again;
  }
  Consequence of_recycling() {
    open_pool();
    hold("x");
    auto params = releasing("x");
    params.wait = true;
    const RequestId id = ask(params);
    end<job::Release>(done::Released{});
    return of_upkeep<job::Recycle>(id);
  }
  Consequence of_recovering() {
    facts = {seen("slot-0", marker_of("x", LeaseKind::durable, MarkerState::acquiring))};
    open_pool();
    return of_upkeep<job::Recover>({});
  }
  Consequence of_recording() {
    facts = {seen("slot-0")};
    facts.front().directory = SlotFacts::Directory::no_gitfile;
    open_pool();
    fail<job::Quarantine>(fault());
    EXPECT_EQ(slot("slot-0").phase, Phase::quarantined);
    pass(seconds(5));
    EXPECT_NE(running<job::Quarantine>(), nullptr);
    return wait_for_host;
  }
  Consequence of_tending() {
    host.settings.seal_watches = 100;
    host.settings.seal_slots = 10;
    config.max_slots = 1;
    facts = {seen("slot-0")};
    open_pool();
    fail<job::Seal>(fault());
    if (slot("slot-0").phase == Phase::quarantined) return quarantine_slot;
    EXPECT_EQ(slot("slot-0").phase, Phase::idle);
    pass(host.settings.seal_quiet);
    EXPECT_NE(running<job::Seal>(), nullptr);
    return try_again;
  }
  Consequence of_asked() {
    facts = {seen("slot-0")};
    facts.front().quarantine = "why not";
    open_pool();
    proto::SlotRepairParams params;
    params.slot = "slot-0";
    const RequestId id = ask(params);
    fail<job::Repair>(fault());
    EXPECT_TRUE(refusals.contains(id));
    EXPECT_EQ(slot("slot-0").phase, Phase::quarantined) << "as it was before";
    return tell;
  }

  Consequence observed() {
    switch (std::get<0>(GetParam()).doing) {
      case Doing::loading:
        return of_loading();
      case Doing::acquiring:
        return of_acquiring();
      case Doing::ending_processes:
        return of_ending_processes();
      case Doing::releasing:
        return of_releasing();
      case Doing::recycling:
        return of_recycling();
      case Doing::recovering:
        return of_recovering();
      case Doing::recording:
        return of_recording();
      case Doing::tending:
        return of_tending();
      case Doing::asked:
        return of_asked();
    }
    return tell;
  }
};

TEST_P(Faulted, HasTheConsequenceOfItsRow) {
  const auto& row = std::get<0>(GetParam());
  const auto expected = row.expected[static_cast<std::size_t>(std::get<1>(GetParam()))];
  EXPECT_EQ(consequence(row.doing, fault()), expected);
  EXPECT_EQ(observed(), expected);
}

INSTANTIATE_TEST_SUITE_P(EachJobByEachFault, Faulted,
                         ::testing::Combine(::testing::ValuesIn(kRows),
                                            ::testing::Range(0, static_cast<int>(std::size(kFaults)))),
                         [](const auto& each) {
                           return std::string(std::get<0>(each.param).name) +
                                  kFaultNames[static_cast<std::size_t>(std::get<1>(each.param))];
                         });

}  // namespace
}  // namespace wtpool::core
