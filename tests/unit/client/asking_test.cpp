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

}  // namespace
}  // namespace wtpool::client::testing
