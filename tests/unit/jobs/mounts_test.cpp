// What is mounted in a slot is somebody else's: no job goes through it.
#include <sys/mount.h>

#include "tests/unit/jobs/bench.hpp"

namespace wtpool::jobs {
namespace {

class Mounts : public Bench {
 protected:
  void SetUp() override {
    Bench::SetUp();
    if (::getuid() != 0) GTEST_SKIP() << "only root can mount";
  }
  void TearDown() override {
    take_away();
    Bench::TearDown();
  }
  void bind(const fs::path& what, const fs::path& at) {
    fs::create_directories(what);
    fs::create_directories(at);
    if (::mount(what.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0) GTEST_SKIP() << "nothing can be mounted here";
    mounted_ = at;
  }
  void take_away() {
    if (!mounted_.empty()) ::umount2(mounted_.c_str(), MNT_DETACH);
    mounted_.clear();
  }
  core::JobFailed failure(const core::JobOutcome& outcome) {
    const auto* failed = std::get_if<core::JobFailed>(&outcome);
    EXPECT_NE(failed, nullptr);
    return failed == nullptr ? core::JobFailed{} : *failed;
  }

 private:
  fs::path mounted_;
};

TEST_F(Mounts, InASlotAreNeitherEmptiedNorOverwrittenAndTheSlotWaitsForThem) {
  core::PoolConfig config;
  config.clean = core::Clean::untracked;
  serve(config);
  const auto lease = hold("x");
  for (const char* at : {"cache", "dir"}) {
    write(root / "mine" / at / "inner", "somebody's\n");
    bind(root / "mine" / at, slot_path() / at);
    if (IsSkipped()) return;
    const auto failed = failure(run(core::job::Recycle{lease, core::Dirty::save, "20260101T000000Z-01234567"}));
    EXPECT_EQ(failed.fault, core::Fault::host_fault);
    EXPECT_NE(failed.error.message.find((slot_path() / at).string()), std::string::npos) << failed.error.message;
    EXPECT_EQ(read(root / "mine" / at / "inner"), "somebody's\n");
    take_away();
  }
  (void)must<core::done::Idle>(core::job::Recycle{lease, core::Dirty::save, "20260101T000000Z-01234567"});
}

TEST_F(Mounts, InAnIdleSlotKeepItFromBeingRemovedAndNothingHasChanged) {
  (void)ready_slot();
  bind(root / "mine", slot_path() / "data");
  if (IsSkipped()) return;
  write(root / "mine/file", "somebody's\n");
  const auto failed = failure(run(core::job::RemoveSlot{}));
  EXPECT_NE(failed.error.hint.find("umount "), std::string::npos);
  EXPECT_EQ(read(root / "mine/file"), "somebody's\n");
  EXPECT_EQ(read(slot_path() / "file"), "one\n");
}

}  // namespace
}  // namespace wtpool::jobs
