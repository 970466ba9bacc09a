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

}  // namespace
}  // namespace wtpool::core
