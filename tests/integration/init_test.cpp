#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

std::map<std::string, std::string> config_of(const World& world, const std::string& pool) {
  return flat_yaml(read_text(world.root() / pool / ".meta/config.yaml"));
}

TEST(Init, WritesTheConfigAndPrintsNothing) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo("app");
  const auto outcome = world.wtpool({"init", "--source", repo.path().string()});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  const auto config = config_of(world, "app");
  EXPECT_EQ(config.at("schema_version"), "1");
  EXPECT_EQ(config.at("source"), repo.path().string());
  EXPECT_EQ(config.at("max_slots"), "16");
  EXPECT_EQ(config.at("default_commit"), "refs/heads/main");
}

TEST(Init, CreatesNoSlotAndChangesNothingInTheSource) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  const auto before = repo.everything();
  world.init(repo);
  EXPECT_EQ(repo.everything(), before);
  for (const auto& entry : fs::directory_iterator(world.root() / "app")) EXPECT_EQ(entry.path().filename(), ".meta");
}

TEST(Init, TakesOriginHeadBeforeTheCurrentBranch) {
  World world;
  world.start_daemon();
  const auto origin = world.make_repo("origin", "trunk");
  const auto repo = Repo::clone(world.dir() / "app", origin);
  repo.git({"switch", "-q", "-c", "topic"});
  world.init(repo);
  EXPECT_EQ(config_of(world, "app").at("default_commit"), "refs/remotes/origin/trunk");
}

TEST(Init, NothingAssumesABranchCalledMain) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo("app", "development");
  world.init(repo);
  EXPECT_EQ(config_of(world, "app").at("default_commit"), "refs/heads/development");
  EXPECT_EQ(git(world.acquire("work"), {"rev-parse", "HEAD"}), repo.head());
}

TEST(Init, TakesWhatItIsTold) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  repo.git({"branch", "stable"});
  world.init(repo, {"--pool", "mine", "--max-slots", "3", "--groups", "ios,android", "--default-commit", "refs/heads/stable"});
  const auto config = config_of(world, "mine");
  EXPECT_EQ(config.at("max_slots"), "3");
  EXPECT_EQ(config.at("default_commit"), "refs/heads/stable");
  const auto pools = world.json_of({"pools"});
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0]["pool"], "mine");
  EXPECT_EQ(pools[0]["groups"], json({"ios", "android"}));
  EXPECT_EQ(world.json_of({"ls"}).size(), 6u) << "max_slots counts per group";
}

TEST(Init, TakesARelativeSourceFromTheCallersDirectory) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo("app");
  const auto outcome = world.wtpool({"init", "--source", "."}, {.directory = repo.path()});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(config_of(world, "app").at("source"), repo.path().string());
}

TEST(Init, TakesABareSource) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo("work");
  const auto bare = Repo::make_bare(world.dir() / "app.git", repo);
  world.init(bare);
  const auto pools = world.json_of({"pools"});
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0]["pool"], "app");
  EXPECT_EQ(git(world.acquire("x"), {"rev-parse", "HEAD"}), repo.head());
}

// Called as the directory in a source where git keeps its worktrees.
TEST(Init, TakesASourceInADirectoryCalledWorktrees) {
  World world;
  const auto repo = world.make_repo("work");
  const auto bare = Repo::make_bare(world.dir() / "worktrees/app.git", repo);
  world.start_daemon();
  world.init(bare);
  world.acquire("x");
  world.release("x");
  const auto lock = bare.path() / "packed-refs.lock";
  write_text(lock, "");
  const auto made = ::time(nullptr) - 60;
  const struct timespec times[2] = {{made, 0}, {made, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, lock.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  const auto doctor = world.wtpool({"doctor"});
  EXPECT_NE((doctor.out + doctor.err).find(lock.string()), std::string::npos) << doctor;
  world.stop_daemon();
  write_text(world.state() / "killed",
             std::to_string(made - 5) + " " + std::to_string(made + 5) + " " + bare.path().string() + "\n");
  world.start_daemon();
  world.acquire("x");
  world.release("x");
  EXPECT_FALSE(fs::exists(lock));
}

TEST(Init, TakesItsKeyFromTheRepositoryWhateverPoolTheEnvironmentNames) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  const auto other = world.make_repo("other");
  const auto outcome = world.wtpool({"init", "--source", repo.path().string()}, {.environment = {{"WTPOOL_POOL", "zzz"}}});
  EXPECT_EQ(outcome.code, 0) << outcome;
  const auto inside = world.wtpool(
      {"run", "x", "--", (fs::path(WTPOOL_BIN_DIR) / "wtpool").string(), "init", "--source", other.path().string()});
  EXPECT_EQ(inside.code, 0) << inside;
  const auto pools = world.json_of({"pools"});
  ASSERT_EQ(pools.size(), 2u) << pools;
  EXPECT_EQ(pools[0]["pool"], "app");
  EXPECT_EQ(pools[1]["pool"], "other");
}

TEST(Init, RefusesWhatIsNoRepository) {
  World world;
  world.start_daemon();
  fs::create_directories(world.dir() / "plain");
  for (const auto* source : {"plain", "nowhere"}) {
    const auto outcome = world.wtpool({"init", "--source", (world.dir() / source).string()});
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("wtpool: ")) << outcome;
    EXPECT_NE(outcome.err.find(source), std::string::npos) << outcome;
    EXPECT_FALSE(fs::exists(world.root() / source));
  }
}

TEST(Init, RefusesAPoolThatExistsAndLeavesItAlone) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  world.init(repo, {"--max-slots", "5"});
  const auto before = read_text(world.root() / "app/.meta/config.yaml");
  const auto outcome = world.wtpool({"init", "--source", repo.path().string(), "--max-slots", "7"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_EQ(read_text(world.root() / "app/.meta/config.yaml"), before);
}

TEST(Init, RefusesKeysGroupsAndNumbersThatCannotBe) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  const std::vector<std::vector<std::string>> bad = {{"--pool", "../up"},  {"--pool", ".hidden"},   {"--pool", "a/b"},
                                                     {"--max-slots", "0"}, {"--max-slots", "-3"},   {"--max-slots", "many"},
                                                     {"--groups", "a b"},  {"--groups", "ios,../x"}};
  for (auto more : bad) {
    more.insert(more.begin(), {"init", "--source", repo.path().string()});
    const auto outcome = world.wtpool(more);
    EXPECT_EQ(outcome.code, 2) << more.back() << outcome;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_TRUE(fs::is_empty(world.root()));
}

TEST(Init, RefusesAGroupThatIsNamedTwice) {
  World world;
  world.start_daemon();
  const auto outcome = world.wtpool({"init", "--source", world.make_repo().path().string(), "--groups", "a,b,a"});
  EXPECT_EQ(outcome.code, 2) << outcome;
  EXPECT_NE(outcome.err.find("its group 'a' is named twice"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("hint: "), std::string::npos) << outcome;
  EXPECT_TRUE(fs::is_empty(world.root()));
}

TEST(Init, WithoutASourceIsWrongUsage) {
  World world;
  const auto outcome = world.wtpool({"init"});
  EXPECT_EQ(outcome.code, 2) << outcome;
  EXPECT_EQ(outcome.out, "");
}

TEST(Config, IsReadAgainWhenItChanged) {
  World world;
  world.start_daemon();
  world.init(world.make_repo(), {"--max-slots", "2"});
  EXPECT_EQ(world.json_of({"ls"}).size(), 2u);
  const auto file = world.root() / "app/.meta/config.yaml";
  auto text = read_text(file);
  text.replace(text.find("max_slots: 2"), 12, "max_slots: 5");
  write_text(file, text);
  EXPECT_TRUE(wait_until([&] { return world.json_of({"ls"}).size() == 5u; }));
}

TEST(Config, ABadOneKeepsTheLastGoodOneAndIsSaid) {
  World world;
  world.start_daemon();
  world.init(world.make_repo(), {"--max-slots", "2"});
  world.acquire("first");
  const auto file = world.root() / "app/.meta/config.yaml";
  write_text(file, read_text(file) + "no_such_key: 1\n");
  const auto outcome = world.wtpool({"acquire", "second"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("no_such_key"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("config.yaml"), std::string::npos) << outcome;
}

}  // namespace
}  // namespace wtpool::test
