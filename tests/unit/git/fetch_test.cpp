#include "daemon/git/source/fetch.hpp"

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

// A source, and a clone of it that is fetched into.
class Fetch : public GitRoom {
 protected:
  void clone(const std::string& options = "") {
    if (!fs::exists(source_dir)) make_source();
    sh(root, "git clone -q " + options + " source clone");
    common = (root / "clone/.git").string();
  }
  std::string in_clone(const std::string& line) { return sh(root / "clone", line); }
  std::string commit(const std::string& message) {
    return sh(source_dir, "git commit -q --allow-empty -m " + message + " && git rev-parse HEAD");
  }
  static core::Wants all() { return {{}, true}; }
  static core::Wants want(const std::string& commit) { return {{commit}, false}; }
};

TEST_F(Fetch, OfAllFillsTrackingRefsAndWritesNothingElse) {
  make_source();
  EXPECT_FALSE(fetch(source(), all()));
  clone();
  const std::string two = commit("two");
  sh(source_dir, "git tag new && git branch topic");
  EXPECT_TRUE(fetch(source(), all()));
  EXPECT_EQ(in_clone("git rev-parse origin/main origin/topic"), two + "\n" + two);
  EXPECT_FALSE(fs::exists(common + "/FETCH_HEAD"));
  EXPECT_EQ(in_clone("git tag"), "");
  EXPECT_NE(in_clone("git rev-parse main"), two);
}

TEST_F(Fetch, OfANameBringsThatOneAlone) {
  clone();
  const std::string two = commit("two");
  sh(source_dir, "git branch topic && git branch other && git tag v1");
  EXPECT_TRUE(fetch(source(), want("topic")));
  EXPECT_EQ(in_clone("git for-each-ref --format='%(refname)' refs/remotes/origin/topic refs/remotes/origin/other"),
            "refs/remotes/origin/topic");
  EXPECT_NE(in_clone("git rev-parse origin/main"), two);
  EXPECT_TRUE(fetch(source(), want("v1")));
  EXPECT_EQ(in_clone("git rev-parse refs/wtpool/fetched/refs/tags/v1"), two);
  EXPECT_NE(in_clone("git rev-parse origin/main"), two) << "all branches were fetched";
}

TEST_F(Fetch, ThatBroughtNothingFetchesAllOnce) {
  clone();
  const std::string two = commit("two");
  EXPECT_TRUE(fetch(source(), want("nowhere")));
  EXPECT_EQ(in_clone("git rev-parse origin/main"), two);
}

TEST_F(Fetch, OfAnIdKeepsItByARef) {
  clone();
  sh(source_dir, "git checkout -q --detach");
  const std::string hidden = commit("hidden");
  sh(source_dir, "git update-ref refs/pull/1/head HEAD && git checkout -q main");
  EXPECT_TRUE(fetch(source(), want(hidden)));
  EXPECT_EQ(in_clone("git rev-parse refs/wtpool/fetched/" + hidden), hidden);
  EXPECT_TRUE(fetch(source(), want("refs/pull/1/head")));
  EXPECT_EQ(in_clone("git rev-parse refs/wtpool/fetched/refs/pull/1/head"), hidden);
}

TEST_F(Fetch, OfAnIdThatIsThereAsksNobody) {
  clone();
  in_clone("git remote set-url origin /nowhere");
  EXPECT_TRUE(fetch(source(), want(id("main").str())));
}

TEST_F(Fetch, LeavesOutAnIdThatTheRemoteRefuses) {
  clone();
  const std::string two = commit("two");
  sh(source_dir, "git branch topic");
  core::Wants wants = want("topic");
  wants.commits.insert(std::string(40, '9'));
  EXPECT_TRUE(fetch(source(), wants));
  EXPECT_EQ(in_clone("git rev-parse origin/topic origin/main"), two + "\n" + two);
}

TEST_F(Fetch, IntoAMirrorOfTheUsersLeavesBranchesAlone) {
  make_source();
  sh(root, "git clone -q --mirror source mirror.git");
  const std::string before = sh(source_dir, "git rev-parse main");
  commit("two");
  sh(source_dir, "git branch new");
  sh(root / "mirror.git", "git branch leased");
  common = (root / "mirror.git").string();
  EXPECT_TRUE(fetch(source(), all()));
  EXPECT_EQ(sh(root / "mirror.git", "git rev-parse main leased"), before + "\n" + before);
  EXPECT_EQ(sh(root / "mirror.git", "git rev-parse refs/remotes/origin/main refs/remotes/origin/new"),
            id("main").str() + "\n" + id("main").str());
}

TEST_F(Fetch, FailsForOriginButNotForAnotherRemoteThatIsGone) {
  clone();
  in_clone("git remote add colleague /nowhere/at/all");
  EXPECT_TRUE(fetch(source(), all()));
  in_clone("git remote set-url origin /nowhere/else");
  EXPECT_EQ(kind_of([&] { (void)fetch(source(), all()); }), ErrorKind::fetch_failed);
  in_clone("git remote set-url origin 'ext::sh -c \"touch " + (root / "ran").string() + "\"'");
  in_clone("git config protocol.ext.allow always");
  EXPECT_EQ(kind_of([&] { (void)fetch(source(), all()); }), ErrorKind::fetch_failed);
  EXPECT_FALSE(fs::exists(root / "ran"));
}

TEST_F(Fetch, SaysNoPasswordWhenItFails) {
  clone();
  in_clone("git remote set-url origin http://me:secret@127.0.0.1:1/x.git");
  try {
    (void)fetch(source(), all());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::fetch_failed);
    EXPECT_NE(error.message.find("http://127.0.0.1:1/x.git"), std::string::npos) << error.message;
    ASSERT_TRUE(error.git);
    for (const std::string& text : {error.message, error.hint, error.git->stderr_tail}) {
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
      EXPECT_EQ(text.find("me:"), std::string::npos) << text;
    }
  }
}

TEST_F(Fetch, DeletesARemoteBranchAndSaysWhyNot) {
  make_source();
  sh(source_dir, "git branch gone");
  sh(root, "git clone -q source clone");
  common = (root / "clone/.git").string();
  write(fs::path(common) / "hooks/pre-push", "#!/bin/sh\nexit 1\n");
  fs::permissions(common + "/hooks/pre-push", fs::perms::owner_all);
  EXPECT_EQ(delete_remote_branch(source(), "gone"), std::nullopt);
  EXPECT_EQ(sh(source_dir, "git branch --list gone"), "");
  in_clone("git remote set-url origin /nowhere");
  EXPECT_TRUE(delete_remote_branch(source(), "gone"));
}

}  // namespace
}  // namespace wtpool::git
