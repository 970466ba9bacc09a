// What is said to those who waited in vain.
#include "tests/unit/core/desk.hpp"

namespace wtpool::core {
namespace {

class Waiting : public Desk {};

TEST_F(Waiting, NamesTheHeldCommitItWaitedForInVain) {
  open_pool();
  hold("x");
  auto params = acquiring("y");
  params.unique_sha = true;
  params.wait_ms = 5000;
  const RequestId waited = ask(params);
  resolve();
  params.name = "z";
  params.wait_ms = 0;
  params.deadline_ms = 4000;
  const RequestId limited = ask(params);
  resolve();
  EXPECT_EQ(waiting_count(host), 2u);
  pass(seconds(4));
  pass(seconds(1));
  const std::string held = " ran out, waiting for commit " + commit('a').str() + ", which is held: slot-0 by 'x', for ";
  for (const auto& [id, limit] : {std::pair{waited, "no slot was had: the time"}, {limited, "no slot was had: the deadline"}}) {
    EXPECT_EQ(refused(id), ErrorKind::timed_out);
    EXPECT_TRUE(refusals[id].message.starts_with(limit + held)) << refusals[id].message;
    EXPECT_EQ(refusals[id].holder, "x");
    EXPECT_EQ(refusals[id].slot, "slot-0");
    EXPECT_EQ(refusals[id].hint, "wtpool inspect slot-0 --pool app");
  }
}

}  // namespace
}  // namespace wtpool::core
