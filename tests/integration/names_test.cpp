#include <gtest/gtest.h>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

// Everything that an acquire may touch, as one text.
std::string everything_of(const World& world, const Repo& repo) {
  std::string text = repo.everything();
  for (const auto& entry : fs::recursive_directory_iterator(world.root())) {
    if (!entry.path().string().ends_with(".lock")) text += entry.path().string() + "\n";
  }
  for (const auto& entry : fs::directory_iterator(repo.common_dir() / "worktrees"))
    text += read_text(entry.path() / "worktree-pool/lock");
  return text;
}

std::string times(const std::string& text, int count) {
  std::string all;
  for (int number = 0; number < count; ++number) all += text;
  return all;
}

TEST(Names, BadOnesAreRefusedAndNothingIsTouched) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  world.init(repo);
  world.acquire("good");
  const auto before = everything_of(world, repo);
  const std::vector<std::string> names = {
      "",
      " ",
      "HEAD",
      "@",
      "FETCH_HEAD",
      "MERGE_HEAD",
      "refs/heads/x",
      "refs/x",
      "../x",
      "a/../b",
      "..",
      ".",
      "a..b",
      ".hidden",
      "a/.b",
      "x.lock",
      "a.lock/b",
      "a//b",
      "/a",
      "a/",
      "a b",
      "a~1",
      "a^",
      "a:b",
      "a?",
      "a*",
      "a[b",
      "a\\b",
      "a@{1}",
      "a.",
      "a\nb",
      "a\tb",
      "a\x7f",
      "a\x1b[31m",
      "slot-0",
      "slot-15",
      "slot-4711",
      "\xff\xfe",
      "a\xc3",
      "\xed\xa0\x80",  // a surrogate
      "\xc0\xaf",      // overlong
      "e\xcc\x81",     // e and a combining accent: NFD
      "a\xe2\x80\xae"
      "b",  // right-to-left override
      "a\xe2\x81\xa6"
      "b",  // left-to-right isolate
      "a\xc2\x85"
      "b",                             // C1 control
      times("a", 201),                 // a component
      times("abcdefg/", 30) + "abcde"  // 245 bytes in all
  };
  for (const auto& name : names) {
    const auto outcome = world.wtpool({"acquire", "--", name});
    EXPECT_EQ(outcome.code, 10) << "'" << name << "'\n" << outcome;
    EXPECT_EQ(outcome.out, "") << name;
    EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos) << "a name may not draw on the terminal";
  }
  EXPECT_EQ(everything_of(world, repo), before);
}

TEST(Names, ThatAreEmptyAreRefusedByEveryVerbAndOverTheProtocol) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  world.init(repo);
  const auto slot = world.acquire("held");
  const auto before = everything_of(world, repo);
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"acquire", ""},
                                               {"release", ""},
                                               {"renew", ""},
                                               {"inspect", ""},
                                               {"path", ""},
                                               {"repair", ""},
                                               {"remove", ""},
                                               {"remove", "", "--pool", "app"}}) {
    const auto outcome = world.wtpool(verb, {.directory = slot});
    EXPECT_EQ(outcome.code, 10) << verb.front() << outcome;
    EXPECT_EQ(outcome.out, "") << verb.front();
  }
  EXPECT_EQ(world.wtpool({"release", "--lease", ""}, {.directory = slot}).code, 2);
  EXPECT_EQ(world.wtpool({"init", "--source", "", "--pool", "other"}, {.directory = repo.path()}).code, 2);
  Wire wire(world.socket());
  for (const auto* method : {"slot.release", "slot.renew", "slot.inspect", "slot.path"}) {
    for (const auto* field : {"target", "name", "slot"})
      EXPECT_EQ(wire.call(method, {{"pool", "app"}, {field, ""}})["error"]["data"]["kind"], "bad_name") << method << field;
    EXPECT_EQ(wire.call(method, {{"pool", "app"}, {"lease_id", ""}})["error"]["data"]["kind"], "invalid_params") << method;
  }
  for (const auto* method : {"slot.repair", "slot.remove"})
    EXPECT_EQ(wire.call(method, {{"pool", "app"}, {"slot", ""}})["error"]["data"]["kind"], "bad_name") << method;
  EXPECT_TRUE(wire.call("pool.init", {{"pool", "other"}, {"source", ""}}).contains("error"));
  EXPECT_EQ(everything_of(world, repo), before);
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST(Names, ThatLookLikeOptionsAreRefusedEitherWay) {
  World world;
  world.start_daemon();
  world.init(world.make_repo());
  for (const auto* name : {"-rf", "--force", "-x"}) {
    EXPECT_EQ(world.wtpool({"acquire", "--", name}).code, 10) << name;
    const auto outcome = world.wtpool({"acquire", name});
    EXPECT_TRUE(outcome.code == 2 || outcome.code == 10) << name << outcome;
  }
}

TEST(Names, GoodOnesMayBeLongOrNotEnglish) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  world.init(repo);
  for (const auto& name : {std::string("feature/login"), std::string("caf\xc3\xa9"), std::string("\xe6\x97\xa5\xe6\x9c\xac"),
                           times("b", 200), times("abcdefg/", 30) + "abcd", std::string("slot"), std::string("slot-x"),
                           std::string("ios-1"), std::string("a.b-c_d+e"), std::string("ahead")}) {
    const auto slot = world.acquire(name);
    EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/" + name);
  }
}

TEST(Names, OfTheFormOfAGroupsSlotIdsAreRefusedInThatPool) {
  World world;
  world.start_daemon();
  world.init(world.make_repo(), {"--groups", "ios"});
  EXPECT_EQ(world.wtpool({"acquire", "ios-7", "--group", "ios"}).code, 10);
  EXPECT_EQ(world.wtpool({"acquire", "android-7", "--group", "ios"}).code, 0);
}

TEST(Names, AreOneWhetherTheBranchIsPackedOrNot) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  repo.git({"branch", "packed"});
  repo.git({"pack-refs", "--all"});
  world.init(repo);
  EXPECT_EQ(world.wtpool({"acquire", "packed"}).code, 9);
  world.acquire("loose");
  repo.git({"pack-refs", "--all"});
  world.release("loose");
  EXPECT_FALSE(repo.has_branch("loose"));
  EXPECT_TRUE(repo.has_branch("packed"));
}

}  // namespace
}  // namespace wtpool::test
