#include "daemon/disk/hook_file.hpp"

#include <gtest/gtest.h>

namespace wtpool::disk {
namespace {

using Words = std::vector<std::string>;

std::string said(const std::vector<core::HookLine>& lines) {
  std::string text;
  for (const auto& line : lines) text += line.event + ": " + line.command + "\n";
  return text;
}

TEST(HookFile, TakesACommandOrAListInTheirOrder) {
  EXPECT_EQ(said(parse_hook_file("hooks:\n  pre_go: b\n  post_acquire: [a, 'c d']\n")),
            "pre_go: b\npost_acquire: a\npost_acquire: c d\n");
  EXPECT_TRUE(parse_hook_file("").empty());
  EXPECT_TRUE(parse_hook_file("hooks:\n  pre_go: ~\n").empty());
}

TEST(HookFile, RefusesWhatItDoesNotKnowWithItsPlace) {
  for (const char* const bad : {"hooks: x\n", "hooks:\n  at_night: x\n", "hooks:\n  pre_go: {a: b}\n", "hooks:\n  pre_go: ''\n",
                                "hook:\n  pre_go: x\n", "hooks:\n  pre_go: [[x]]\n"}) {
    try {
      (void)parse_hook_file(bad);
      ADD_FAILURE() << bad;
    } catch (const proto::Error& refused) {
      EXPECT_EQ(refused.kind, proto::ErrorKind::bad_config);
      EXPECT_TRUE(refused.message.starts_with(".wtpool.yaml:")) << refused.message;
    }
  }
}

TEST(HookScript, HasTheEventsOfItsFunctions) {
  EXPECT_EQ(
      said(parse_hook_script("wt_pre_go() { :; }\n  function wt_post_acquire {\n:\n}\n# wt_pre_release()\necho wt_post_land\n"
                             "wt_pre_release_more() { :; }\n")),
      "post_acquire: . ./.wt-hooks.sh && wt_post_acquire\npre_go: . ./.wt-hooks.sh && wt_pre_go\n");
}

TEST(HookWords, AreWhatMayBeAFileOfTheRepository) {
  EXPECT_EQ(words_of("./scripts//a.sh --flag x/../y 'b c.sh'; exec $(d/e) /bin/true ../out"),
            (Words{"scripts/a.sh", "y", "b", "c.sh", "exec", "d/e"}));
  EXPECT_EQ(words_of("../evil"), (Words{"../evil"}));
  EXPECT_EQ(words_of("make all"), (Words{"make", "all"}));
  EXPECT_TRUE(words_of(" ; ").empty());
}

}  // namespace
}  // namespace wtpool::disk
