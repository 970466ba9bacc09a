#include <fcntl.h>
#include <sys/stat.h>
#include <thread>

#include "common/files/fd.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Refs = GitRoom;

TEST_F(Refs, MoveTogetherWithTheHeadOfASlot) {
  make_source();
  const Git git = ready_slot();
  const Oid base = id("HEAD");
  switch_to_new(git, "feature", base);
  sh(slot_path(), "echo more >> file && git commit -qam more");
  const Oid tip = id("feature");
  RefTransaction transaction;
  EXPECT_TRUE(transaction.empty());
  transaction.detach_head("slot-0", tip);
  transaction.create(trash_ref("20260505T033456Z-9f0c1234", "heads/feature"), tip);
  transaction.remove("refs/heads/feature", tip);
  transaction.commit(source());
  EXPECT_EQ(read(entry() + "/HEAD"), tip.str() + "\n");
  EXPECT_EQ(read_head(common, "slot-0").branch, std::nullopt);
  const std::vector<Ref> kept = list_refs(source(), "refs/wtpool/");
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].name, "refs/wtpool/trash/20260505T033456Z-9f0c1234/heads/feature");
  EXPECT_EQ(kept[0].value, tip);
  EXPECT_EQ(kept[0].type, "commit");
  const TrashRefs trash = list_trash(source());
  ASSERT_EQ(trash.size(), 1u);
  EXPECT_EQ(trash.begin()->first, "20260505T033456Z-9f0c1234");
  EXPECT_EQ(trash.begin()->second.size(), 1u);
  EXPECT_TRUE(list_refs(source(), "refs/heads/feature").empty());
  EXPECT_NE(sh(slot_path(), "git reflog").find("commit: more"), std::string::npos);
}

TEST_F(Refs, MoveNotAtAllWhenOneExpectationFails) {
  make_source();
  ready_slot();
  const Oid at = id("HEAD");
  sh(source_dir, "git branch feature && git commit -q --allow-empty -m two");
  RefTransaction transaction;
  transaction.set("refs/wtpool/a", at);
  transaction.remove("refs/heads/feature", id("HEAD"));
  EXPECT_EQ(kind_of([&] { transaction.commit(source()); }), ErrorKind::git_failed);
  EXPECT_TRUE(list_refs(source(), "refs/wtpool").empty());
  EXPECT_EQ(id("feature"), at);
  RefTransaction again;
  again.set("refs/wtpool/a", at);
  again.set("refs/wtpool/a2", at);
  again.update("refs/heads/feature", id("HEAD"), at);
  again.commit(source());
  EXPECT_EQ(id("feature"), id("HEAD"));
  RefTransaction existing;
  existing.create("refs/wtpool/a", at);
  EXPECT_EQ(kind_of([&] { existing.commit(source()); }), ErrorKind::git_failed);
  RefTransaction().commit(source());
}

TEST_F(Refs, NeverFollowASymbolicBranch) {
  make_source();
  sh(source_dir, "git symbolic-ref refs/heads/alias refs/heads/main");
  const Oid at = id("main");
  RefTransaction transaction;
  transaction.remove("refs/heads/alias", at);
  transaction.commit(source());
  EXPECT_EQ(id("main"), at);
  EXPECT_FALSE(fs::exists(common + "/refs/heads/alias"));
}

TEST_F(Refs, AnswerIdsInOrderAndNothingForWhatIsUnknown) {
  make_source();
  const Oid at = id("HEAD");
  const auto ids = ids_of(source(), {"refs/heads/main", "", "nope", "a\nb", "--batch", "refs/heads/main^{commit}", at.str(),
                                     std::string(40, '1'), "HEAD:file", "main main"});
  ASSERT_EQ(ids.size(), 10u);
  EXPECT_EQ(ids[0], at);
  for (const std::size_t unknown : {1, 2, 3, 4, 7, 9}) EXPECT_FALSE(ids[unknown]) << unknown;
  EXPECT_EQ(ids[5], at);
  EXPECT_EQ(ids[6], at);
  EXPECT_EQ(ids[8], id("HEAD:file"));
  EXPECT_TRUE(ids_of(source(), {}).empty());
}

}  // namespace
}  // namespace wtpool::git
