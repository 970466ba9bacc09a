// NAME or SLOT, as a request says it.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Targets : public Desk {
 protected:
  template <class P>
  void expect_refused(const proto::Target& target, ErrorKind kind) {
    P params;
    params.target = target;
    EXPECT_EQ(refused(ask(params)), kind);
  }
  void expect_refused_by_all(const proto::Target& target, ErrorKind kind) {
    expect_refused<proto::ReleaseParams>(target, kind);
    expect_refused<proto::RenewParams>(target, kind);
    expect_refused<proto::SlotInspectParams>(target, kind);
    expect_refused<proto::SlotPathParams>(target, kind);
  }
};

TEST_F(Targets, ThatAreEmptyAreRefusedAndNeverTakenForWhatIsNotHeld) {
  open_pool();
  hold("x");
  proto::Target target;
  target.target = "";
  expect_refused_by_all(target, ErrorKind::bad_name);
  target = {};
  target.name = "";
  expect_refused_by_all(target, ErrorKind::bad_name);
  target = {};
  target.slot = "";
  expect_refused_by_all(target, ErrorKind::bad_name);
  target = {};
  target.lease_id = "";
  expect_refused_by_all(target, ErrorKind::invalid_params);
  EXPECT_EQ(refused(ask(proto::SlotRepairParams{})), ErrorKind::bad_name);
  EXPECT_EQ(refused(ask(proto::SlotRemoveParams{})), ErrorKind::bad_name);
  auto release = releasing("x");
  release.lease_id = "";
  EXPECT_EQ(refused(ask(release)), ErrorKind::invalid_params);
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  EXPECT_EQ(running<job::Release>(), nullptr);
}

// A clean-up hook has only the path that acquire printed.
TEST_F(Targets, ThatArePathsAreTheSlotThereAndNeverAlreadyReleased) {
  open_pool();
  hold("x");
  for (const char* path : {"/pools/app/slot-0", "/pools/app/slot-0/src"}) {
    proto::SlotPathParams where;
    where.target.target = path;
    EXPECT_TRUE(replies.contains(ask(where))) << path;
    proto::RenewParams renew;
    renew.target.slot = path;
    EXPECT_TRUE(replies.contains(ask(renew))) << path;
  }
  for (const char* path : {"/pools/app/slot-00", "/pools/app/slot-1/src", "/elsewhere"})
    EXPECT_EQ(refused(ask(releasing(path))), ErrorKind::not_held) << path;
  EXPECT_EQ(slot("slot-0").phase, Phase::held);
  ask(releasing("/pools/app/slot-0"));
  EXPECT_NE(running<job::Release>(), nullptr);
}

TEST_F(Targets, ThatArePathsAreTakenByRepairAndRemove) {
  open_pool();
  hold("x");
  proto::SlotRemoveParams remove;
  remove.slot = "/pools/app/slot-0/src";
  EXPECT_EQ(refused(ask(remove)), ErrorKind::slot_held);
  remove.slot = "/elsewhere";
  EXPECT_EQ(refused(ask(remove)), ErrorKind::not_held);
  proto::SlotRepairParams repair;
  repair.slot = "/elsewhere";
  EXPECT_EQ(refused(ask(repair)), ErrorKind::not_held);
}

TEST_F(Targets, ThatAreAlmostANameSayWhichOne) {
  open_pool();
  hold("feature-login");
  const RequestId id = ask(releasing("feature-logn"));
  EXPECT_TRUE(std::get<proto::ReleaseResult>(replies[id]).already);
  EXPECT_TRUE(warned("'feature-login'"));
  ask(releasing("other"));
  EXPECT_FALSE(warned("meant?"));
}

}  // namespace
}  // namespace wtpool::core
