// What is asked for, of the words and the environment.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/client/fake_daemon.hpp"

namespace wtpool::client::testing {
namespace {

TEST(EmptyTargets, AreRefusedByEveryVerbBeforeAnybodyIsAsked) {
  Home home;
  for (const std::vector<const char*>& words : {std::vector<const char*>{"acquire", ""},
                                                {"release", ""},
                                                {"renew", ""},
                                                {"inspect", ""},
                                                {"path", ""},
                                                {"repair", ""},
                                                {"remove", ""},
                                                {"remove", "", "--pool", "app"}}) {
    const Ran ran = wtpool(words);
    EXPECT_EQ(ran.exit_code, 10) << words.front();
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("empty"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(wtpool({"run", "", "--", "true"}).exit_code, 125);
}

TEST(Init, TakesNoKeyFromTheEnvironment) {
  Home home;
  std::vector<std::optional<std::string>> keys;
  ::setenv("WTPOOL_POOL", "of-the-run-around-it", 1);
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"init", "--source", "/r"}, {"init", "--source", "/r", "--pool", "mine"}}) {
    FakeDaemon daemon(home.socket, [&](Peer& peer) {
      peer.greet();
      if (auto got = peer.request<proto::PoolInitParams>()) keys.push_back(got->pool);
      peer.answer(proto::PoolInitResult{"r", "/r", "/pools/r"});
    });
    EXPECT_EQ(wtpool(words).exit_code, 0);
    daemon.join();
    ::unlink(home.socket.c_str());
  }
  EXPECT_EQ(keys, (std::vector<std::optional<std::string>>{std::nullopt, "mine"}));
}

}  // namespace
}  // namespace wtpool::client::testing
