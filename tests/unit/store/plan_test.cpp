// What is pure of grafting and collecting, and the records.
#include <gtest/gtest.h>

#include "daemon/disk/store_records.hpp"
#include "daemon/store/collect.hpp"
#include "daemon/store/graft_plan.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::store {
namespace {

TEST(GraftPlan, LinksWhatIsIgnoredAndGoesDeeperWhereOnlyTheDirectoryIs) {
  const Level level = plan_level({{"out", NodeKind::directory, Standing::nothing, true},
                                  {"build", NodeKind::directory, Standing::nothing, false},
                                  {"lib", NodeKind::directory, Standing::directory, false},
                                  {"shown", NodeKind::file, Standing::nothing, false},
                                  {"mine", NodeKind::file, Standing::other, true},
                                  {"old", NodeKind::directory, Standing::own_graft, true}},
                                 {});
  EXPECT_EQ(level.grafts, (std::vector<std::string>{"out", "old"}));
  EXPECT_EQ(level.below, (std::vector<std::string>{"build", "lib"}));
  EXPECT_EQ(level.make, (std::vector<std::string>{"build"}));
  EXPECT_EQ(level.refused, (std::vector<std::string>{"shown"}));
  EXPECT_EQ(level.overridden, (std::vector<std::string>{"mine"}));
}

TEST(GraftPlan, MakesRealDirectoriesAndForcesWhatGitWouldShow) {
  GraftRules rules;
  rules.real = {"build/cache"};
  rules.force = true;
  const Level level = plan_level({{"build", NodeKind::directory, Standing::nothing, true},
                                  {"builds", NodeKind::directory, Standing::nothing, true},
                                  {"shown", NodeKind::file, Standing::nothing, false}},
                                 rules);
  EXPECT_EQ(level.make, (std::vector<std::string>{"build"}));
  EXPECT_EQ(level.grafts, (std::vector<std::string>{"builds", "shown"}));
}

TEST(Collect, TakesTheOldestThatNoRootNames) {
  const std::vector<Collectable> entries{{"old", 10, 100}, {"older", 10, 50}, {"used", 10, 1}, {"young", 10, 990}};
  CollectRules rules;
  rules.now = 1000;
  rules.older_than = 500;
  auto plan = plan_collection(entries, {"used"}, rules);
  ASSERT_EQ(plan.take.size(), 2u);
  EXPECT_EQ(plan.take[0].key, "older");
  EXPECT_EQ(plan.kept.at("used"), "used");
  EXPECT_EQ(plan.kept.at("young"), "recent");
  rules.keep = 30;
  plan = plan_collection(entries, {"used"}, rules);
  ASSERT_EQ(plan.take.size(), 1u);
  EXPECT_EQ(plan.take[0].key, "older");
}

TEST(StoreNames, KeysAndArchives) {
  for (const char* good : {"a", "node_modules-1f0c@x=+_.Z"}) EXPECT_EQ(bad_key(good), std::nullopt) << good;
  for (const char* bad : {"", ".a", "a/b", "a b", "a\n", "ä"}) EXPECT_NE(bad_key(bad), std::nullopt) << bad;
  EXPECT_EQ(bad_key(std::string(200, 'k')), std::nullopt);
  EXPECT_NE(bad_key(std::string(201, 'k')), std::nullopt);
  EXPECT_EQ(key_of_archive_name("bb-1.tar.zst"), "bb-1");
  EXPECT_EQ(key_of_archive_name("bb-1.txt"), std::nullopt);
}

TEST(StoreRecords, AreReadBackAsTheyWereWritten) {
  disk::RootRecord root{"app", "slot-0", "/p/slot \xff\"", {}};
  root.grafts.push_back({"k-1", "lib", "link", "bb", true, {{"lib/a\nb", "a\nb", disk::GraftLink::State::thawed}}});
  root.grafts.push_back({"123", "", "copy", "", false, {}});
  const std::string text = disk::format_root_record(root);
  ASSERT_TRUE(disk::parse_root_record(text)) << text;
  EXPECT_EQ(*disk::parse_root_record(text), root);
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(disk::parse_root_record(text.substr(0, size))) << size;
  const disk::EntryRecord entry{"k-1", std::string(64, '0'), 3, 4096, 1'700'000'000, "boot", true};
  ASSERT_TRUE(disk::parse_entry_record(disk::format_entry_record(entry)));
  EXPECT_EQ(*disk::parse_entry_record(disk::format_entry_record(entry)), entry);
}

}  // namespace
}  // namespace wtpool::store
