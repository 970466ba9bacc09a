#include "client/cli/render.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace wtpool::client {
namespace {

using proto::SlotInfo;
using proto::SlotState;

SlotInfo slot(const char* id, SlotState state) {
  SlotInfo info;
  info.pool = "app";
  info.slot = id;
  info.path = std::string("/p/app/") + id;
  info.state = state;
  return info;
}

TEST(Table, AlignsColumnsAndEndsLinesWithoutBlanks) {
  EXPECT_EQ(render_table({{"A", "LONGER", "C"}, {"xyz", "1", "end"}}), "A    LONGER  C\nxyz  1       end\n");
}

TEST(Table, CountsCharactersNotBytes) {
  EXPECT_EQ(render_table({{"\xc3\xa4\xc3\xb6", "x"}, {"abc", "y"}}), "\xc3\xa4\xc3\xb6   x\nabc  y\n");
}

TEST(Slots, ShowWhoHoldsWhatAndLeaveTheEmptyColumnsOut) {
  SlotInfo held = slot("slot-0", SlotState::held);
  held.name = "feature-x";
  held.full_sha = "0123456789abcdef0123456789abcdef01234567";
  held.held_seconds = 7380;
  EXPECT_EQ(render_slots({held, slot("slot-1", SlotState::fresh)}),
            "SLOT    STATE  NAME       COMMIT      HELD   PATH\n"
            "slot-0  held   feature-x  0123456789  2h03m  /p/app/slot-0\n"
            "slot-1  fresh  -          -           -      /p/app/slot-1\n");
}

TEST(Slots, NameThePoolOnlyWhenThereAreSeveral) {
  SlotInfo other = slot("slot-0", SlotState::idle);
  other.pool = "lib";
  EXPECT_EQ(render_slots({slot("slot-0", SlotState::idle)}).find("POOL"), std::string::npos);
  EXPECT_EQ(render_slots({slot("slot-0", SlotState::idle), other}).find("POOL"), 0U);
}

TEST(Slots, ShowGitNumbersAndReasonsWhereThereAreAny) {
  SlotInfo dirty = slot("slot-0", SlotState::held);
  dirty.git = proto::GitInfo{1, 22, 3};
  SlotInfo bad = slot("slot-1", SlotState::quarantined);
  bad.reason = "no .git";
  const std::string text = render_slots({dirty, bad});
  EXPECT_NE(text.find("DIRTY  UNTRACKED  AHEAD  PATH           REASON\n"), std::string::npos) << text;
  EXPECT_NE(text.find("1      22         3      /p/app/slot-0  -\n"), std::string::npos) << text;
  EXPECT_NE(text.find("-      -          -      /p/app/slot-1  no .git\n"), std::string::npos) << text;
}

TEST(Slots, CannotDrawOnTheTerminal) {
  SlotInfo evil = slot("slot-0", SlotState::quarantined);
  evil.reason = "\033[2Jgone\nslot-9  held";
  const std::string text = render_slots({evil});
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Slots, AreAHeaderAloneWhenThereIsNone) { EXPECT_EQ(render_slots({}), "SLOT  STATE  NAME  COMMIT  HELD  PATH\n"); }

TEST(Slot, IsALineForEachThingKnown) {
  SlotInfo held = slot("slot-0", SlotState::held);
  held.name = "x";
  held.started_at = 0;
  held.lease = proto::LeaseInfo{"ab", proto::LeaseKind::process, 60, 120, 4711};
  EXPECT_EQ(render_slot(held),
            "pool: app\nslot: slot-0\npath: /p/app/slot-0\nstate: held\nname: x\nsince: 1970-01-01T00:00:00Z\nsealed: no\n"
            "lease: ab\nlease kind: process\nttl: 1m\nexpires: 1970-01-01T00:02:00Z\nowner pid: 4711\n");
}

TEST(Pools, SayWhatIsUnavailable) {
  proto::PoolInfo app{"app", "/src/app", 16, {"ios", "android"}, true, {{"held", 2}, {"idle", 1}, {"fresh", 0}}};
  proto::PoolInfo lib{"lib", "/src/lib", 4, {}, false, {}};
  EXPECT_EQ(render_pools({app, lib}),
            "POOL  MAX  GROUPS       SLOTS           SOURCE\n"
            "app   16   ios,android  2 held, 1 idle  /src/app\n"
            "lib   4    -            unavailable     /src/lib\n");
}

TEST(Doctor, EndsWithTheHints) {
  proto::DoctorResult doctor;
  doctor.checks = {{"git", "ok", "2.39.5", std::nullopt}, {"disk", "warn", "5% free", "rm big"}};
  EXPECT_EQ(render_doctor(doctor), "CHECK  STATUS  DETAIL\ngit    ok      2.39.5\ndisk   warn    5% free\nhint: rm big\n");
}

TEST(Errors, SayWhatFailedAndWhy) {
  EXPECT_EQ(render_error({proto::ErrorKind::internal, "it is so"}), "wtpool: cannot go on: it is so\n");
  EXPECT_EQ(render_error({proto::ErrorKind::internal, "cannot x: it is so"}), "wtpool: cannot x: it is so\n");
}

TEST(Errors, AreALineAHintAndTheDetails) {
  proto::Error error(proto::ErrorKind::at_capacity, "cannot acquire x: every slot is held", "wtpool release slot-0");
  error.details = {"slot-0  a", "slot-1  b\033[0m"};
  const std::string text = render_error(error);
  EXPECT_TRUE(text.starts_with("wtpool: cannot acquire x: every slot is held\nhint: wtpool release slot-0\nslot-0  a\n"))
      << text;
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(Errors, StayOneLineWithoutAHint) {
  EXPECT_EQ(render_error({proto::ErrorKind::io_error, "cannot do it: why"}), "wtpool: cannot do it: why\n");
}

TEST(Progress, SaysPlaceAndPercentage) {
  proto::Progress progress;
  progress.phase = "queued";
  progress.queue_position = 3;
  EXPECT_EQ(render_progress(progress), "queued, place 3 in the queue");
  progress = {0, "checkout", 45, std::nullopt, "Updating files"};
  EXPECT_EQ(render_progress(progress), "checkout, 45%: Updating files");
}

TEST(Duration, ReadsAtAGlance) {
  EXPECT_EQ(render_duration(-5), "0s");
  EXPECT_EQ(render_duration(59), "59s");
  EXPECT_EQ(render_duration(60), "1m");
  EXPECT_EQ(render_duration(3661), "1h01m");
  EXPECT_EQ(render_duration(90'000), "1d01h");
}

}  // namespace
}  // namespace wtpool::client
