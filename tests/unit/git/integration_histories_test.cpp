// Random histories of branch, merge, squash, rebase and revert: "merged" is never said of a branch for which a merge with the
// target's tip adds anything and no one commit of the target has its whole change. WTPOOL_HISTORIES says how many, else a few.
#include <cstdlib>
#include <random>

#include "daemon/git/source/integration.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class MergedHistories : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    fs::create_directories(source_dir);
    common = (source_dir / ".git").string();
  }
  void git(const std::string& line) { sh(source_dir, line, true); }
  std::string change(std::mt19937& random) {
    const std::string file = random() % 2 == 0 ? "f" : "g";
    return "sed -i '" + std::to_string(random() % 6 + 1) + "s/.*/" + std::to_string(random() % 4) + "/' " + file +
           " && git commit -qam change";
  }
  void step(std::mt19937& random) {
    switch (random() % 8) {
      case 0:
      case 1:
        return git("git checkout -q x && " + change(random));
      case 2:
        return git("git checkout -q main && " + change(random));
      case 3:
        return git("git checkout -q main && { git merge -q --squash x && git commit -qm squash || git reset -q --hard; }");
      case 4:
        return git("git checkout -q main && { git merge -q --no-ff -m merge x || git merge --abort; }");
      case 5:
        return git("git checkout -q x && { git rebase -q main || git rebase --abort; }");
      case 6:
        return git("git checkout -q main && { git revert --no-edit HEAD || git revert --abort; }");
      default:
        return git("git checkout -q main && { git cherry-pick x || git cherry-pick --abort; }");
    }
  }
  // By plain git, in the slowest way there is.
  bool adds_nothing() {
    const auto merged = sh(source_dir, "git merge-tree --write-tree main x", true);
    return merged == sh(source_dir, "git rev-parse main^{tree}");
  }
  bool one_commit_has_it() {
    return sh(source_dir,
              "base=$(git merge-base main x); git diff $base x | git patch-id --verbatim | cut -d' ' -f1 > ../whole; "
              "for c in $(git rev-list $base..main); do git diff $c^ $c | git patch-id --verbatim | cut -d' ' -f1; done > "
              "../each; "
              "grep -qxFf ../whole ../each && echo yes",
              true) == "yes";
  }
};

TEST_F(MergedHistories, NeverCallMergedWhatIsNot) {
  const char* said = std::getenv("WTPOOL_HISTORIES");
  const int count = said == nullptr ? 8 : std::atoi(said);
  int merged = 0;
  for (int seed = 1; seed <= count; ++seed) {
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    fs::remove_all(source_dir);
    fs::create_directories(source_dir);
    git("git init -q . && seq 1 6 > f && seq 1 6 > g && git add . && git commit -qm base && git checkout -q -b x");
    const int steps = 4 + static_cast<int>(random() % 6);
    for (int i = 0; i < steps; ++i) step(random);
    git("git checkout -q -f main");
    forget_comparisons();
    const auto found = compare(source(), {{id("x"), id("main")}}).front();
    ASSERT_TRUE(found) << "seed " << seed;
    if (!found->merged) continue;
    ++merged;
    EXPECT_TRUE(adds_nothing() || one_commit_has_it()) << "seed " << seed << ": " << proto::to_text(*found->merged);
  }
  std::printf("[ FIGURE   ] %d histories, %d of them merged\n", count, merged);
}

}  // namespace
}  // namespace wtpool::git
