// Where a branch is about to go, the files say where it stands.
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class RefsNow : public GitRoom {};

TEST_F(RefsNow, ARewriteOfEqualSizeWithinOneSecondIsSeen) {
  make_source();
  sh(source_dir, "git commit -q --allow-empty -m second && git branch x HEAD~1 && git pack-refs --all --prune");
  Context context;
  context.helpers = make_helpers(common);
  const Git git = source(context);
  const Oid first = id("HEAD~1");
  const Oid second = id("HEAD");
  ASSERT_EQ(ids_of(git, {"refs/heads/x"}).front(), first);
  // The same inode, size and second, as two rewrites of packed-refs have that come one behind the other.
  const fs::path packed = fs::path(common) / "packed-refs";
  const auto written = fs::last_write_time(packed);
  std::string text = read(packed);
  const auto at = text.find(first.str() + " refs/heads/x");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, first.str().size(), second.str());
  write(packed, text);
  fs::last_write_time(packed, written);
  EXPECT_EQ(tips_now(git, {"refs/heads/x"}).front(), second);
  EXPECT_EQ(tips_now(git, {"refs/heads/none", "refs/heads/main"}), (std::vector<std::optional<Oid>>{std::nullopt, second}));
}

TEST_F(RefsNow, ASymbolicOneIsFollowed) {
  make_source();
  sh(source_dir, "git symbolic-ref refs/heads/alias refs/heads/main");
  EXPECT_EQ(tips_now(source(), {"refs/heads/none", "refs/heads/alias"}),
            (std::vector<std::optional<Oid>>{std::nullopt, id("main")}));
}

}  // namespace
}  // namespace wtpool::git
