#include "proto/codec/agent.hpp"

#include <gtest/gtest.h>

#include "proto/errors.hpp"

namespace wtpool::proto {
namespace {

const AgentHooks kHooks{"wtpool agent create", "wtpool agent remove"};

TEST(Agent, ReadsBothNamesOfAField) {
  EXPECT_EQ(read_agent_create(R"({"name":"fix","cwd":"/src","session_id":"s1","hook_event_name":"WorktreeCreate"})").name,
            "fix");
  const auto other = read_agent_create(R"({"worktree_name":"fix","session_id":7,"cwd":null})");
  EXPECT_EQ(other.name, "fix");
  EXPECT_EQ(other.session_id, std::nullopt);
  EXPECT_EQ(other.cwd, std::nullopt);
  EXPECT_EQ(read_agent_remove(R"({"worktree_path":"/pools/app/slot-0"})").worktree_path, "/pools/app/slot-0");
  EXPECT_EQ(read_agent_remove("{}").worktree_path, std::nullopt);
}

TEST(Agent, RefusesWhatIsNoRequest) {
  for (const char* text : {"", "[]", "{", "null", "{}", R"({"name":""})", R"({"name":["x"]})"}) {
    EXPECT_THROW((void)read_agent_create(text), Error) << text;
  }
  EXPECT_THROW((void)read_agent_remove("no json"), Error);
}

TEST(Agent, MakesAnyNameABranch) {
  EXPECT_EQ(branch_for("fix-login"), "fix-login");
  EXPECT_EQ(branch_for("fix the login: now?"), "fix-the-login--now-");
  EXPECT_EQ(branch_for("a..b@{c"), "a-b-c");
  EXPECT_EQ(branch_for("x.lock"), "x-");
  EXPECT_EQ(branch_for("x/"), "x-");
  EXPECT_EQ(branch_for("x."), "x-");
  EXPECT_EQ(branch_for("-x"), "x");
  EXPECT_EQ(branch_for("a\tb\x7f"), "a-b-");
  EXPECT_EQ(branch_for(""), "agent");
}

TEST(Agent, KnowsTheKeysOfItsLeases) {
  EXPECT_EQ(agent_key("s1", "fix"), "claude:s1:fix");
  EXPECT_TRUE(agent_key("s1", "fix").starts_with(agent_key_prefix("s1")));
  EXPECT_TRUE(agent_key({}, "fix").starts_with(agent_key_prefix({})));
  EXPECT_FALSE(agent_key("s12", "fix").starts_with(agent_key_prefix("s1")));
}

TEST(Agent, AddsItsHooksToSettingsAndTakesThemOutAgain) {
  const std::string before =
      R"({"zeta":1,"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command","command":"x"}]}],)"
      R"("WorktreeCreate":[{"hooks":[{"type":"command","command":"mine"}]}]},"alpha":[]})";
  const auto with = settings_with(before, kHooks);
  EXPECT_LT(with.find("zeta"), with.find("hooks"));
  EXPECT_LT(with.find("PreToolUse"), with.find("WorktreeRemove"));
  EXPECT_LT(with.find("WorktreeRemove"), with.find("alpha"));
  EXPECT_NE(with.find("\"mine\""), std::string::npos);
  EXPECT_NE(with.find("wtpool agent create"), std::string::npos);
  EXPECT_EQ(settings_with(with, kHooks), with) << "a second time changes nothing";
  EXPECT_EQ(settings_without(with, kHooks), settings_without(before, {"", ""}));
  const auto alone = settings_with("", kHooks);
  EXPECT_EQ(settings_without(alone, kHooks), "{}\n");
}

TEST(Agent, LeavesSettingsAloneThatItDoesNotUnderstand) {
  for (const char* text : {"[1]", "{", R"({"hooks":[]})", R"({"hooks":{"WorktreeCreate":{}}})"}) {
    EXPECT_THROW((void)settings_with(text, kHooks), Error) << text;
  }
}

}  // namespace
}  // namespace wtpool::proto
