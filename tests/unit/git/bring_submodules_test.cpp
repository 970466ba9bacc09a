#include "daemon/git/submodule/bring.hpp"

#include "daemon/git/source/mirror.hpp"
#include "daemon/git/submodule/pins.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class BringSubmodules : public GitRoom {
 protected:
  // source has `mid` at lib/mid, which has `leaf` at leaf, each by a relative URL; and `plain`, tagged `big`.
  void SetUp() override {
    GitRoom::SetUp();
    for (const char* name : {"leaf", "mid", "plain"}) {
      fs::create_directories(root / name);
      sh(root / name, "git init -q . && echo x > " + std::string(name) + " && git add . && git commit -qm one");
    }
    sh(root / "mid", "git submodule --quiet add --name leaf ../leaf leaf 2>&1 && git commit -qm leaf");
    make_source();
    sh(source_dir,
       "git submodule --quiet add --name m ../mid lib/mid 2>&1 && git submodule --quiet add --name p ../plain plain 2>&1 && "
       "git config -f .gitmodules submodule.p.worktreePoolTag big && git add . && git commit -qm submodules");
  }
  SubmoduleSources sources() const { return {root / "pools", source_dir.string(), {}, {}, {}}; }
  std::vector<std::string> paths(const Brought& brought) const {
    std::vector<std::string> found;
    for (const auto& each : brought.submodules) found.push_back(each.path);
    std::sort(found.begin(), found.end());
    return found;
  }
  Oid commit_gitmodules(const std::string& text) {
    write(source_dir / ".gitmodules", text);
    sh(source_dir, "git add .gitmodules && git commit -qm other");
    return id("HEAD");
  }
};

TEST_F(BringSubmodules, AllLevelsAreFilledFromOneMirrorAUrl) {
  for (const char* name : {"slot-0", "slot-1"}) {
    const Git slot = ready_slot(name);
    const Brought brought = bring_submodules(slot, id("HEAD"), sources());
    EXPECT_TRUE(brought.refused.empty());
    EXPECT_EQ(paths(brought), (std::vector<std::string>{"lib/mid", "lib/mid/leaf", "plain"}));
    EXPECT_EQ(read(slot_path(name) / "lib/mid/leaf/leaf"), "x\n");
    EXPECT_EQ(sh(slot_path(name) / "lib/mid/leaf", "git rev-parse --absolute-git-dir"),
              entry(name) + "/modules/m/modules/leaf");
    EXPECT_EQ(sh(slot_path(name), "git status --porcelain --ignore-submodules=none"), "");
    EXPECT_EQ(sh(slot_path(name), "git submodule status --recursive").find_first_of("+U"), std::string::npos);
    EXPECT_EQ(sh(entry(name), "find modules -path '*/objects/*' -type f ! -name alternates"), "")
        << "a slot has no object of its own";
  }
  EXPECT_EQ(sh(root / "pools/.sources", "ls -A | grep -c ."), "3");
}

TEST_F(BringSubmodules, ThoseWithAnExcludedTagOrNoUpdateAreLeftOut) {
  SubmoduleSources some = sources();
  some.excluded_tags = {"big"};
  EXPECT_EQ(paths(bring_submodules(ready_slot(), id("HEAD"), some)), (std::vector<std::string>{"lib/mid", "lib/mid/leaf"}));
  sh(source_dir, "git config -f .gitmodules submodule.m.update none && git commit -qam none");
  EXPECT_EQ(paths(bring_submodules(ready_slot("slot-1"), id("HEAD"), sources())), (std::vector<std::string>{"plain"}));
}

TEST_F(BringSubmodules, ACommitThatNobodyPushedComesFromTheMirrorBase) {
  sh(source_dir / "plain", "git switch -qc own && echo own > own && git add . && git commit -qm own");
  const std::string own = sh(source_dir / "plain", "git rev-parse HEAD");
  sh(source_dir, "git add plain && git commit -qm own");
  try {
    (void)bring_submodules(ready_slot(), id("HEAD"), sources());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::commit_unknown) << error.message;
    for (const std::string& part : {std::string("submodule plain"), (root / "plain").string(), own, id("HEAD").str()})
      EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
  }
  SubmoduleSources base = sources();
  base.mirror_mode = "git-modules";
  base.mirror_base = source_dir.string();
  base.excluded_tags = {};
  sh(source_dir, "git submodule --quiet update --init --recursive 2>&1");
  const Brought brought = bring_submodules(ready_slot("slot-1"), id("HEAD"), base);
  EXPECT_EQ(paths(brought).size(), 3u);
  EXPECT_EQ(sh(slot_path("slot-1") / "plain", "git rev-parse HEAD"), own);
}

TEST_F(BringSubmodules, WhatIsThereIsFetchedForNoMore) {
  (void)bring_submodules(ready_slot(), id("HEAD"), sources());
  for (const char* name : {"leaf", "mid", "plain"}) fs::rename(root / name, root / (std::string(name) + ".away"));
  EXPECT_EQ(paths(bring_submodules(ready_slot("slot-1"), id("HEAD"), sources())).size(), 3u);
}

TEST_F(BringSubmodules, AHostileGitmodulesRunsAndWritesNothing) {
  const Git slot = ready_slot();
  const std::string ran = (root / "ran").string();
  const Oid commit = commit_gitmodules(
      "[submodule \"../../x\"]\n\tpath = lib/mid\n\turl = ../mid\n"
      "[submodule \"p\"]\n\tpath = plain\n\turl = \"ext::sh -c 'touch " +
      ran + "'\"\n");
  const Brought brought = bring_submodules(slot, commit, sources());
  EXPECT_TRUE(brought.submodules.empty());
  EXPECT_EQ(brought.refused.size(), 2u);
  EXPECT_FALSE(fs::exists(ran));
  EXPECT_FALSE(fs::exists(fs::path(entry()) / "modules"));
  EXPECT_FALSE(fs::exists(root / "pools/.sources"));
}

TEST_F(BringSubmodules, AGitmodulesThatIsASymlinkOrTornIsRefused) {
  const Oid torn = commit_gitmodules("[submodule \"p\n");
  EXPECT_EQ(kind_of([&] { (void)pins_of(source(), torn); }), ErrorKind::bad_gitmodules);
  sh(source_dir, "rm .gitmodules && ln -s file .gitmodules && git add -A && git commit -qm link");
  EXPECT_EQ(kind_of([&] { (void)pins_of(source(), id("HEAD")); }), ErrorKind::bad_gitmodules);
  sh(source_dir, "git rm -q .gitmodules && git commit -qm none");
  EXPECT_TRUE(pins_of(source(), id("HEAD")).pinned.empty());
}

}  // namespace
}  // namespace wtpool::git
