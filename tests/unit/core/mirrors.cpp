#include <algorithm>

#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class MirrorUpkeep : public Desk {
 protected:
  void open_mirror(bool is_mirror = true) {
    host.settings.background_limit = 4;  // what else begins by itself does not take its place
    happen(event::PoolsSeen{{{PoolKey("app"), "f", 1}}});
    auto made = loaded();
    if (is_mirror) made.place.url = "https://host/app.git";
    end<job::LoadPool>(made);
  }
};

TEST_F(MirrorUpkeep, BeginsWhenNothingRanForTenMinutesAfterSomethingDid) {
  open_mirror();
  pass(seconds(3600));
  EXPECT_EQ(running<job::TendMirror>(), nullptr) << "nothing has come in";
  hold("x");
  pass(seconds(599));
  EXPECT_EQ(running<job::TendMirror>(), nullptr);
  ASSERT_TRUE(next_deadline(host));
  pass(seconds(2));
  ASSERT_NE(running<job::TendMirror>(), nullptr);
  EXPECT_TRUE(running<job::TendMirror>()->grant.source_writer);
  end<job::TendMirror>(done::Plain{});
  pass(seconds(3600));
  EXPECT_EQ(running<job::TendMirror>(), nullptr);
}

TEST_F(MirrorUpkeep, IsNotForAUsersClone) {
  open_mirror(false);
  hold("x");
  pass(seconds(3600));
  EXPECT_EQ(running<job::TendMirror>(), nullptr);
}

TEST_F(MirrorUpkeep, GivesWayToWhoMakesASlot) {
  open_mirror();
  hold("x");
  pass(seconds(601));
  const auto* tending = running<job::TendMirror>();
  ASSERT_NE(tending, nullptr);
  ask(acquiring("y"));
  resolve();
  const bool stopped = std::ranges::any_of(effects, [&](const Effect& each) {
    const auto* stop = std::get_if<effect::StopJob>(&each);
    return stop != nullptr && stop->job == tending->grant.job;
  });
  EXPECT_TRUE(stopped);
  fail<job::TendMirror>(Fault::cancelled, ErrorKind::cancelled);
  finish_acquire();
  pass(seconds(601));
  EXPECT_NE(running<job::TendMirror>(), nullptr) << "it is done later";
}

}  // namespace
}  // namespace wtpool::core
