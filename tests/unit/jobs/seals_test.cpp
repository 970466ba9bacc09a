#include "daemon/jobs/slot/seal_book.hpp"

#include <fcntl.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "daemon/disk/marker.hpp"
#include "daemon/jobs/run/run_job.hpp"
#include "tests/support/process.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::jobs {
namespace {

namespace fs = std::filesystem;
using core::done::NotSealed;
using core::done::Sealed;
using Keys = std::vector<SealBook::Key>;

class Seals : public git::GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    auto served =
        std::make_shared<ServedPool>(ServedPool{PoolKey("pool"), disk::PoolFiles(root / "pool"), {}, {}, {}, nullptr, nullptr});
    served->place.root = (root / "pool").string();
    served->place.source = SourceId(common);
    fs::create_directories(served->files.init_dir());
    pools.put(served);
  }
  static SealBook::Key key(const std::string& slot = "slot-0") { return {PoolKey("pool"), SlotId(slot)}; }
  core::JobOutcome run(const std::string& slot, std::size_t limit, const StopToken& stop = {}) {
    JobContext job;
    job.grant.pool = PoolKey("pool");
    job.grant.slot = SlotId(slot);
    job.grant.git_id = slot;
    job.pools = &pools;
    job.seals = &book;
    job.stop = stop;
    job.report = [](const core::Event&) {};
    return run_job(job, core::job::Seal{limit});
  }
  void seal_slot(const std::string& slot = "slot-0") {
    const auto outcome = run(slot, 100);
    const auto* done = std::get_if<core::JobDone>(&outcome);
    ASSERT_TRUE(done != nullptr && std::holds_alternative<Sealed>(*done));
  }
  NotSealed::Why refusal(const core::JobOutcome& outcome) {
    const auto* done = std::get_if<core::JobDone>(&outcome);
    const auto* no = done == nullptr ? nullptr : std::get_if<NotSealed>(done);
    EXPECT_NE(no, nullptr);
    return no == nullptr ? NotSealed::Why::busy : no->why;
  }
  core::Fault fault(const core::JobOutcome& outcome) {
    const auto* failed = std::get_if<core::JobFailed>(&outcome);
    return failed == nullptr ? core::Fault::none : failed->fault;
  }
  bool book_is_readable() {
    struct ::pollfd wait {
      book.fd(), POLLIN, 0
    };
    return ::poll(&wait, 1, 0) == 1;
  }

  ServedPools pools;
  SealBook book;
};

TEST_F(Seals, AreMadeByAJobAndKeptInTheBook) {
  (void)ready_slot();
  const auto outcome = run("slot-0", 100);
  const auto* done = std::get_if<core::JobDone>(&outcome);
  ASSERT_NE(done, nullptr);
  const auto* sealed = std::get_if<Sealed>(done);
  ASSERT_NE(sealed, nullptr);
  EXPECT_EQ(sealed->at, id("HEAD"));
  EXPECT_EQ(sealed->tree, id("HEAD^{tree}"));
  EXPECT_EQ(sealed->watches, 2U);
  EXPECT_TRUE(disk::SlotLock::try_take(disk::PoolFiles(root / "pool"), SlotId("slot-0"))) << "the lock is given back";
  const auto seal = book.take(key());
  ASSERT_TRUE(seal);
  EXPECT_TRUE(seal->intact());
  EXPECT_EQ(seal->at(), id("HEAD"));
  EXPECT_FALSE(book.take(key()));
}

TEST_F(Seals, AreNotMadeWhereSomethingIsInTheWay) {
  const auto git = ready_slot();
  EXPECT_EQ(refusal(run("slot-0", 1)), NotSealed::Why::limit);
  write(slot_path() / "file", "changed\n");
  EXPECT_EQ(refusal(run("slot-0", 100)), NotSealed::Why::dirty);
  git::reset_hard(git, id("HEAD"));
  {
    const std::ofstream writer(slot_path() / "dir/inner", std::ios::app);
    EXPECT_EQ(refusal(run("slot-0", 100)), NotSealed::Why::busy);
  }
  const auto lock = disk::SlotLock::try_take(disk::PoolFiles(root / "pool"), SlotId("slot-0"));
  EXPECT_EQ(fault(run("slot-0", 100)), core::Fault::slot_busy);
  EXPECT_FALSE(book.take(key()));
}

TEST_F(Seals, AreNotMadeOfASlotThatIsNoneOrIsHeld) {
  (void)ready_slot();
  write(fs::path(entry()) / "worktree-pool/lock", "state: held\n");
  EXPECT_EQ(fault(run("slot-0", 100)), core::Fault::quarantine);
  fs::remove(fs::path(entry()) / "worktree-pool/lock");
  write(slot_path() / ".git", "gitdir: /nowhere\n");
  EXPECT_EQ(fault(run("slot-0", 100)), core::Fault::quarantine);
  EXPECT_FALSE(book.take(key()));
}

TEST_F(Seals, TellWhichHaveEndedAndTellItOnce) {
  (void)ready_slot();
  (void)ready_slot("slot-1");
  seal_slot();
  seal_slot("slot-1");
  EXPECT_FALSE(book_is_readable());
  EXPECT_TRUE(book.ended().empty());
  EXPECT_TRUE(book.ended(true).empty());
  write(slot_path("slot-1") / "file", "x");
  EXPECT_TRUE(book_is_readable());
  EXPECT_EQ(book.ended(), Keys{key("slot-1")});
  EXPECT_FALSE(book_is_readable());
  EXPECT_TRUE(book.ended(true).empty());
  EXPECT_FALSE(book.take(key("slot-1")));
  EXPECT_TRUE(book.take(key()));
}

TEST_F(Seals, OutliveThatTheDaemonLooksAtTheSlot) {
  (void)ready_slot();
  seal_slot();
  EXPECT_EQ(read(slot_path() / ".git").substr(0, 8), "gitdir: ");
  EXPECT_TRUE(book_is_readable());
  EXPECT_TRUE(book.ended().empty());
  EXPECT_FALSE(book_is_readable());
  EXPECT_TRUE(book.take(key()));
}

TEST_F(Seals, EndByAChangedFileOfGitsOwnWhenAllAreAsked) {
  (void)ready_slot();
  seal_slot();
  sh(source_dir, "git config user.name somebody");
  EXPECT_TRUE(book.ended().empty()) << "it stands outside of the tree";
  EXPECT_EQ(book.ended(true), Keys{key()});
}

TEST_F(Seals, TakeThePlaceOfOlderOnesAndAreDropped) {
  (void)ready_slot();
  seal_slot();
  seal_slot();
  EXPECT_TRUE(book.ended(true).empty());
  book.drop(key());
  book.drop(key());
  EXPECT_FALSE(book.take(key()));
  write(slot_path() / "file", "x");
  EXPECT_FALSE(book_is_readable());
}

// Closing watches takes the processor from whoever just used the seal, but the system's limits count what is open.
TEST_F(Seals, ThatWereUsedStayOpenForAWhileAndThoseThatMakeRoomDoNot) {
  (void)ready_slot();
  (void)ready_slot("slot-1");
  SealBook patient{std::chrono::hours(1)};
  const auto made = [&](const std::string& slot) {
    seal_slot(slot);
    return book.take(key(slot));
  };
  const auto open = [](int fd) { return ::fcntl(fd, F_GETFD) != -1; };
  auto used = made("slot-0");
  const int fd_of_used = used->fd();
  patient.retire(std::move(used));
  EXPECT_TRUE(open(fd_of_used));
  patient.put(key("slot-1"), made("slot-1"));
  EXPECT_TRUE(open(fd_of_used));
  patient.drop(key("slot-1"));
  EXPECT_TRUE(test::wait_until([&] { return !open(fd_of_used); })) << "one that must go takes the others along";

  int fd_of_last = -1;
  {
    SealBook ending{std::chrono::hours(1)};
    auto last = made("slot-0");
    fd_of_last = last->fd();
    ending.retire(std::move(last));
    EXPECT_TRUE(open(fd_of_last));
  }
  EXPECT_FALSE(open(fd_of_last)) << "no seal outlives its book";
}

TEST_F(Seals, AreGivenUpAtOnceWhenTheSlotIsWanted) {
  for (int i = 0; i < 1000; ++i) write(source_dir / ("d" + std::to_string(i % 200)) / std::to_string(i), "x");
  sh(source_dir, "git add . && git commit -qm many");
  (void)ready_slot();
  int cancelled = 0;
  for (int i = 0; i < 45; i += 3) {
    StopToken stop;
    std::thread wanted([&] {
      ::poll(nullptr, 0, i);  // at whatever step it is by then
      stop.request_stop();
    });
    const auto outcome = run("slot-0", 1000, stop);
    wanted.join();
    if (fault(outcome) == core::Fault::cancelled) {
      ++cancelled;
      EXPECT_FALSE(book.take(key()));
      continue;
    }
    const auto* done = std::get_if<core::JobDone>(&outcome);
    ASSERT_TRUE(done != nullptr && std::holds_alternative<Sealed>(*done));
    auto seal = book.take(key());
    EXPECT_TRUE(seal && seal->intact());
    book.retire(std::move(seal));
  }
  EXPECT_GT(cancelled, 0);
}

TEST_F(Seals, MayBeUsedByManyThreads) {
  for (const char* name : {"slot-0", "slot-1", "slot-2"}) (void)ready_slot(name);
  std::atomic<bool> going{true};
  std::thread loop([&] {
    while (going) {
      (void)book.ended();
      (void)book.ended(true);
    }
  });
  std::vector<std::thread> jobs;
  for (const char* name : {"slot-0", "slot-1", "slot-2"}) {
    jobs.emplace_back([this, slot = std::string(name)] {
      for (int i = 0; i < 5; ++i) {
        (void)run(slot, 100);
        if (i % 2 == 0) write(slot_path(slot) / "new", std::to_string(i));
        if (auto seal = book.take(key(slot))) {
          (void)seal->intact();
          book.retire(std::move(seal));
        }
        (void)run(slot, 100);
        book.drop(key(slot));
      }
    });
  }
  for (auto& job : jobs) job.join();
  going = false;
  loop.join();
  EXPECT_TRUE(book.ended(true).empty());
}

}  // namespace
}  // namespace wtpool::jobs
