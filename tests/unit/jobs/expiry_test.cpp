// Kept work grows old by the time that the host was running, and by nothing else.
#include "common/base/clock.hpp"
#include "common/platform/process.hpp"
#include "tests/unit/jobs/bench.hpp"

namespace wtpool::jobs {
namespace {

constexpr core::seconds kAge{14 * 86400};

class Expiry : public Bench {
 protected:
  // Kept at `time` by the wall clock.
  void keep(std::int64_t time) {
    sh(source_dir, "git update-ref refs/wtpool/trash/" + id_ + "/work HEAD");
    disk::write_trash_record(served->files.trash_record(id_), {id_, "pool", "slot-0", "x", time});
  }
  void expire() { (void)must<core::done::Plain>(core::job::ExpireTrash{PoolKey("pool"), kAge}); }
  // The host was running so much longer.
  void run_for(std::int64_t seconds) {
    auto time = disk::read_running_time(served->files.running_time());
    ASSERT_TRUE(time);
    time->seconds += seconds;
    disk::write_running_time(served->files.running_time(), *time);
  }
  [[nodiscard]] bool stands() const { return !refs().empty(); }
  const std::string id_ = "20260101T000000Z-01234567";
};

TEST_F(Expiry, GoesByTheTimeThatTheHostWasRunning) {
  keep(wall_now());
  expire();
  run_for(kAge.count() - 10);
  expire();
  EXPECT_TRUE(stands());
  run_for(20);
  expire();
  EXPECT_FALSE(stands());
  EXPECT_FALSE(fs::exists(served->files.trash_record(id_)));
}

TEST_F(Expiry, IsNoneForAClockThatStepsAhead) {
  keep(wall_now() - 10 * kAge.count());
  expire();
  expire();
  EXPECT_TRUE(stands());
}

TEST_F(Expiry, ComesToWhatWasKeptWhileTheClockStoodInTheFutureOrInThePast) {
  for (const std::int64_t off : {-400 * 86400, 400 * 86400}) {
    keep(wall_now() + off);
    expire();
    EXPECT_TRUE(stands());
    run_for(kAge.count() + 10);
    expire();
    EXPECT_FALSE(stands()) << off;
  }
}

TEST_F(Expiry, BeginsAnewWhereTheTimeIsLost) {
  keep(wall_now());
  expire();
  run_for(kAge.count() + 10);
  expire();
  ASSERT_FALSE(stands());
  keep(wall_now());
  expire();
  fs::remove(served->files.running_time());
  expire();
  run_for(kAge.count() - 10);
  expire();
  EXPECT_TRUE(stands());
}

}  // namespace
}  // namespace wtpool::jobs
