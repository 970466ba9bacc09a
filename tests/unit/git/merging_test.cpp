// The candidate of a landing, against what git itself makes of the same history in a clone.
#include "daemon/git/work/merging.hpp"

#include <cstdlib>
#include <random>

#include "daemon/git/files/text.hpp"
#include "support.hpp"

namespace wtpool::git {
namespace {

using proto::LandStyle;

constexpr LandStyle kStyles[] = {LandStyle::merge, LandStyle::no_ff, LandStyle::squash, LandStyle::rebase};

class Merging : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
  }
  // On branch `branch` a commit that writes `file`.
  void commit(const std::string& branch, const std::string& file, const std::string& text,
              const std::string& message = "work") {
    sh(source_dir, "git checkout -q " + branch);
    write(source_dir / file, text);
    sh(source_dir, "git add -A && git commit -qm '" + message + "'");
  }
  MergeRequest request(LandStyle style) const {
    MergeRequest request;
    request.target = id("main");
    request.tip = id("work");
    request.style = style;
    request.name = "work";
    request.target_name = "main";
    return request;
  }
  Candidate make(LandStyle style) const { return make_candidate(source(), request(style)); }
  std::string show(const Oid& commit, const std::string& format) const {
    return sh(source_dir, "git show -s --format='" + format + "' " + commit.str());
  }
  // All refs, the index and the files, as they stand.
  std::string everything() const {
    return sh(source_dir,
              "git for-each-ref; git rev-parse HEAD; git status --porcelain; md5sum .git/index; "
              "find . -path ./.git -prune -o -type f -print | sort | xargs md5sum");
  }
};

TEST_F(Merging, AFastForwardIsTheTipItself) {
  sh(source_dir, "git branch work");
  commit("work", "new", "1\n");
  const Candidate made = make(LandStyle::merge);
  EXPECT_EQ(made.commit, id("work"));
  EXPECT_EQ(made.commits, 1);
}

TEST_F(Merging, WhereTheTargetWentOnAMergeHasTheTargetAsFirstParent) {
  sh(source_dir, "git branch work");
  commit("work", "new", "1\n");
  commit("main", "other", "2\n");
  const Candidate made = make(LandStyle::merge);
  ASSERT_TRUE(made.commit);
  EXPECT_EQ(show(*made.commit, "%P"), id("main").str() + " " + id("work").str());
  EXPECT_EQ(show(*made.commit, "%B"), "Merge branch 'work' into main\n");
  EXPECT_EQ(show(*made.commit, "%an <%ae>"), "A <a@example.org>");
  EXPECT_EQ(sh(source_dir, "git fsck --no-dangling"), "");
}

TEST_F(Merging, ATargetMergedIntoTheTipByHandStaysTheFirstParent) {
  sh(source_dir, "git branch work");
  commit("work", "new", "1\n");
  commit("main", "other", "2\n");
  sh(source_dir, "git checkout -q work && git merge -q --no-edit main");
  const Candidate made = make(LandStyle::merge);
  ASSERT_TRUE(made.commit);
  EXPECT_NE(made.commit, id("work"));
  EXPECT_EQ(show(*made.commit, "%P"), id("main").str() + " " + id("work").str());
  EXPECT_EQ(show(*made.commit, "%T"), sh(source_dir, "git rev-parse 'work^{tree}'"));
}

TEST_F(Merging, NoFfIsAlwaysAMerge) {
  sh(source_dir, "git branch work");
  commit("work", "new", "1\n");
  const Candidate made = make(LandStyle::no_ff);
  ASSERT_TRUE(made.commit);
  EXPECT_EQ(show(*made.commit, "%P"), id("main").str() + " " + id("work").str());
}

TEST_F(Merging, ASquashHasOneParentAndTheMessageOfTheOneCommitOrAllSubjects) {
  sh(source_dir, "git branch work");
  commit("work", "new", "1\n", "one");
  Candidate made = make(LandStyle::squash);
  ASSERT_TRUE(made.commit);
  EXPECT_EQ(show(*made.commit, "%P"), id("main").str());
  EXPECT_EQ(show(*made.commit, "%B"), "one\n");
  commit("work", "new", "2\n", "two");
  made = make(LandStyle::squash);
  EXPECT_EQ(show(*made.commit, "%B"), "work\n\n* one\n* two\n");
  MergeRequest said = request(LandStyle::squash);
  said.message = "said";
  EXPECT_EQ(show(*make_candidate(source(), said).commit, "%B"), "said\n");
}

TEST_F(Merging, ARebaseKeepsAuthorDateAndMessageByteByByte) {
  sh(source_dir, "git branch work");
  sh(source_dir,
     "git checkout -q work && echo 1 > new && git add -A && GIT_AUTHOR_NAME='Ünï' GIT_AUTHOR_EMAIL=u@x "
     "GIT_AUTHOR_DATE='1234567890 +0530' git commit -q --cleanup=verbatim -m '  odd message  \n\n\n'");
  commit("main", "other", "2\n");
  const Candidate made = make(LandStyle::rebase);
  ASSERT_TRUE(made.commit);
  EXPECT_EQ(show(*made.commit, "%P"), id("main").str());
  EXPECT_EQ(show(*made.commit, "%an|%ae|%ad|%B"), show(id("work"), "%an|%ae|%ad|%B"));
}

TEST_F(Merging, WhatTheTargetHasIsNothingToLand) {
  sh(source_dir, "git branch work");
  for (const LandStyle style : kStyles) EXPECT_TRUE(make(style).nothing);
  commit("work", "new", "1\n");
  commit("main", "new", "1\n");
  EXPECT_TRUE(make(LandStyle::rebase).nothing);
  EXPECT_TRUE(make(LandStyle::squash).nothing);
}

TEST_F(Merging, ConflictsAreNamedAndNothingMoves) {
  write(source_dir / "gone", "1\n");
  sh(source_dir, "git add -A && git commit -qm gone && git branch work");
  commit("work", "file", "theirs\n");
  sh(source_dir, "echo 2 > gone && git commit -qam 'changes gone'");
  commit("main", "file", "ours\n");
  sh(source_dir, "git rm -q gone && git commit -qm 'removes gone'");
  const std::string before = everything();
  const Candidate made = make(LandStyle::merge);
  EXPECT_FALSE(made.commit);
  ASSERT_EQ(made.conflicts.size(), 2U);
  EXPECT_EQ(made.conflicts[0], (Conflict{"file", "contents"}));
  EXPECT_EQ(made.conflicts[1], (Conflict{"gone", "modify/delete"}));
  EXPECT_EQ(everything(), before);
}

TEST_F(Merging, HistoriesWithoutACommonCommitAreAConflict) {
  sh(source_dir, "git checkout -q --orphan work && git commit -qm alone && git checkout -q main");
  EXPECT_EQ(make(LandStyle::merge).conflicts.size(), 1U);
}

TEST_F(Merging, ADriverThatARepositoryChoosesDoesNotRun) {
  write(source_dir / ".gitattributes", "* merge=evil\n");
  sh(source_dir, "git add -A && git commit -qm attributes && git config merge.evil.driver 'touch " + (root / "ran").string() +
                     "; true' && git branch work");
  commit("work", "file", "theirs\n");
  commit("main", "file", "ours\n");
  EXPECT_EQ(make(LandStyle::merge).conflicts.size(), 1U);
  EXPECT_FALSE(fs::exists(root / "ran"));
  MergeRequest allowed = request(LandStyle::merge);
  allowed.drivers = {"evil"};
  EXPECT_TRUE(make_candidate(source(), allowed).commit);
  EXPECT_TRUE(fs::exists(root / "ran"));
}

TEST_F(Merging, WithoutItsDriverAFileIsMergedAsText) {
  write(source_dir / ".gitattributes", "* merge=evil\n");
  write(source_dir / "list", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  sh(source_dir, "git add -A && git commit -qm attributes && git config merge.evil.driver 'false' && git branch work");
  commit("work", "list", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
  commit("main", "list", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
  const Candidate made = make(LandStyle::merge);
  ASSERT_TRUE(made.commit);
  EXPECT_EQ(sh(source_dir, "git show " + made.commit->str() + ":list"), "one\n2\n3\n4\n5\n6\n7\n8\nnine");
}

TEST_F(Merging, AttributesOfTheTargetCountAndNoWorkingTreeDoes) {
  write(source_dir / "d/.gitattributes", "log merge=union\n");
  write(source_dir / "d/log", "1\n");
  sh(source_dir, "git add -A && git commit -qm attributes && git branch work");
  commit("work", "d/log", "1\ntheirs\n");
  commit("main", "d/log", "1\nours\n");
  write(source_dir / ".gitattributes", "log -merge\n");
  const Candidate made = make(LandStyle::merge);
  ASSERT_TRUE(made.commit);
  EXPECT_EQ(sh(source_dir, "git show " + made.commit->str() + ":d/log"), "1\nours\ntheirs");
  EXPECT_TRUE(fs::is_empty(fs::path(common) / "wtpool/land"));
}

// A script that makes a history: `main` and `work`, which part from each other and meet now and then.
std::string random_history(std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::string script = "set -e\n";
  for (const char* file : {"a", "b", "d/c", "d/e"}) {
    script += "mkdir -p d; seq 1 12 > " + std::string(file) + "\n";
  }
  script += "git add -A; git commit -qm base; git branch work\n";
  const int commits = 3 + below(5);
  for (int i = 0; i < commits; ++i) {
    const bool on_work = below(3) > 0;
    script += std::string("git checkout -qf ") + (on_work ? "work" : "main") + "\n";
    const std::string file = (const char*[]){"a", "b", "d/c", "d/e"}[below(4)];
    switch (below(9)) {
      case 0:
        script += "git rm -q --ignore-unmatch " + file + "\n";
        break;
      case 1:
        script += "[ -e " + file + " ] && git mv -k " + file + " moved" + std::to_string(below(3)) + " || true\n";
        break;
      case 2:
        script += "echo n" + std::to_string(i) + " > new" + std::to_string(below(3)) + "\n";
        break;
      case 3:
        if (on_work) script += "git merge -q --no-edit main >/dev/null || git merge --abort || true\n";
        break;
      case 4:
        script += std::string("git cherry-pick ") + (on_work ? "main" : "work") +
                  " >/dev/null 2>&1 || git cherry-pick --abort >/dev/null 2>&1 || git reset -q --hard\n";
        break;
      default: {
        const std::string line = std::to_string(1 + below(12));
        script += "[ -e " + file + " ] && sed -i '" + line + "s/.*/" + (below(3) == 0 ? "same" : "x" + std::to_string(i)) +
                  "/' " + file + " || true\n";
      }
    }
    script += "git add -A; git commit -qm 'commit " + std::to_string(i) + "' || true\n";
  }
  return script + "git checkout -qf main\n";
}

// What git makes of it, and where that does not go together, in which files.
struct Expectation {
  std::string tree;
  std::string paths;
};

class Histories : public Merging {
 protected:
  Expectation of_git(LandStyle style) const {
    const std::string clone = "rm -rf ../clone && cp -r . ../clone && cd ../clone && git reset -q --hard && ";
    const std::string unmerged = "{ git diff --name-only --diff-filter=U | sort -u | sed 's/^/conflict /'; }";
    std::string merge;
    switch (style) {
      case LandStyle::merge:
      case LandStyle::no_ff:
        merge = "if git merge -q --no-edit work >/dev/null; then git rev-parse 'HEAD^{tree}'; else " + unmerged + "; fi";
        break;
      case LandStyle::squash:
        merge = "if git merge -q --squash work >/dev/null; then git write-tree; else " + unmerged + "; fi";
        break;
      case LandStyle::rebase:
        merge = "git checkout -q work && if git rebase -q main >/dev/null; then git rev-parse 'HEAD^{tree}'; else " + unmerged +
                "; fi";
    }
    const std::string said = sh(source_dir, clone + merge);
    Expectation expected;
    for (const std::string& line : split(said, '\n')) {
      if (line.starts_with("conflict ")) {
        expected.paths += line.substr(9) + "\n";
      } else {
        expected.tree = line;
      }
    }
    return expected;
  }
};

TEST_F(Histories, EachCandidateIsWhatGitMakes) {
  const char* asked = std::getenv("WTPOOL_HISTORIES");
  const int histories = asked == nullptr ? 12 : std::atoi(asked);
  const char* seeded = std::getenv("WTPOOL_SEED");
  const unsigned first = seeded == nullptr ? 1 : static_cast<unsigned>(std::atoi(seeded));
  int conflicts = 0;
  for (unsigned seed = first; seed < first + static_cast<unsigned>(histories); ++seed) {
    std::mt19937 random(seed);
    fs::remove_all(source_dir);
    fs::create_directories(source_dir);
    sh(source_dir, "git init -q .");
    write(root / "history", random_history(random));
    sh(source_dir, "sh ../history >/dev/null");
    const std::string before = everything();
    for (const LandStyle style : kStyles) {
      SCOPED_TRACE("history " + std::to_string(seed) + ", " + std::string(to_text(style)));
      const Candidate made = make(style);
      const Expectation expected = of_git(style);
      std::string paths;
      for (const Conflict& conflict : made.conflicts) paths += conflict.path + "\n";
      EXPECT_EQ(paths, expected.paths);
      if (!made.conflicts.empty()) {
        ++conflicts;
        continue;
      }
      const Oid commit = made.commit.value_or(id("main"));
      EXPECT_EQ(show(commit, "%T"), expected.tree);
      EXPECT_EQ(sh(source_dir, "git rev-list --first-parent " + commit.str() + " | grep -c '^" + id("main").str() + "'"), "1");
      if (style == LandStyle::rebase && made.commit) {
        EXPECT_EQ(sh(source_dir, "git log --format='%an %ae %at %B %T' main.." + commit.str()),
                  sh(root / "clone", "git log --format='%an %ae %at %B %T' main..HEAD"));
      }
    }
    EXPECT_EQ(everything(), before);
  }
  RecordProperty("conflicts", conflicts);
}

}  // namespace
}  // namespace wtpool::git
