#include "daemon/git/submodule/repository.hpp"

#include "daemon/git/source/mirror.hpp"
#include "daemon/git/submodule/state.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class SubmoduleRepositories : public GitRoom {
 protected:
  // A source whose submodule `lib/s1` stands at `sub`, with two commits; a slot in which it is not filled; and its mirror.
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    fs::create_directories(sub);
    sh(sub,
       "git init -q . && echo a > a && git add . && git commit -qm one && git tag -a -m t v1 && echo b > b && git add . && git "
       "commit -qm two");
    sh(source_dir, "git submodule --quiet add --name lib/s1 '" + sub.string() + "' lib/s1 && git commit -qm submodule");
    slot_git.emplace(ready_slot());
    order.mirror = make_mirror(root / "pools", {sub.string(), {}, {}}, {}).git_dir;
    sh(order.mirror, "git update-ref refs/wtpool/trash/x refs/tags/v1 && git pack-refs --all");
    order.commit = Oid(sh(sub, "git rev-parse HEAD"));
  }
  fs::path place() const { return slot_path() / "lib/s1"; }
  fs::path repository() const { return fs::path(entry()) / "modules/lib/s1"; }
  // Right by every git that a user would ask.
  void expect_filled(const std::string& head) {
    EXPECT_EQ(sh(place(), "git rev-parse HEAD"), head);
    EXPECT_EQ(sh(place(), "git status --porcelain"), "");
    EXPECT_EQ(sh(place(), "git fsck --no-dangling 2>&1 | grep -v notice", true), "");
    EXPECT_EQ(sh(place(), "git rev-parse --absolute-git-dir"), repository().string());
    EXPECT_FALSE(fs::exists(repository() / "wtpool-filling"));
  }
  // Files of objects that the slot has for itself.
  std::string own_objects() const { return sh(repository(), "find objects -type f ! -path '*/info/*'"); }

  fs::path sub = root_of_sub();
  SubmoduleOrder order{"lib/s1", "lib/s1", "https://host.invalid/s1", {}, Oid(std::string(40, '0'))};
  std::optional<Git> slot_git;

 private:
  static fs::path root_of_sub() {
    char pattern[] = "/tmp/wtpool-sub-XXXXXX";
    return fs::canonical(::mkdtemp(pattern));
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(sub, ignored);
    GitRoom::TearDown();
  }
};

TEST_F(SubmoduleRepositories, AreGitsOwnAndBorrowTheirObjects) {
  const std::string before =
      sh(source_dir, "cat .git/config .git/index | git hash-object --stdin; ls -R .git/modules | git hash-object --stdin");
  fill_submodule(*slot_git, order);
  expect_filled(order.commit.str());
  EXPECT_EQ(own_objects(), "");
  EXPECT_EQ(submodule_repository(*slot_git, "lib/s1"), repository());
  EXPECT_EQ(sh(place(), "git config remote.origin.url"), order.url);
  EXPECT_EQ(sh(place(), "git rev-parse v1^{commit}"), sh(sub, "git rev-parse v1^{commit}"));
  EXPECT_EQ(sh(place(), "git for-each-ref refs/wtpool"), "");
  EXPECT_EQ(sh(slot_path(), "git status --porcelain"), "");
  EXPECT_EQ(sh(slot_path(), "git submodule status").find_first_of("+U"), std::string::npos);
  EXPECT_EQ(filling_of(*slot_git, {"lib/s1", order.commit}), Filling::untouched);
  EXPECT_EQ(before, sh(source_dir,
                       "cat .git/config .git/index | git hash-object --stdin; ls -R .git/modules | git hash-object --stdin"));
}

TEST_F(SubmoduleRepositories, GoOnWithWhatGitDoesByHandInThem) {
  fill_submodule(*slot_git, order);
  sh(place(), "git switch -qc topic && echo c > c && git add c && git commit -qm three && git gc -q && git stash list");
  sh(slot_path(), "git submodule foreach -q --recursive 'git status --porcelain' && git submodule absorbgitdirs");
  sh(slot_path(),
     "git -c submodule.recurse=true checkout -q --detach HEAD~1 && git -c submodule.recurse=true checkout -q --detach " +
         id("HEAD").str());
  sh(order.mirror, "git gc -q --prune=now; git repack -a -d; git prune --expire=now; true", true);
  EXPECT_EQ(sh(place(), "git fsck --no-dangling 2>&1 | grep -v notice", true), "");
}

// A kill is played by taking away what comes after it.
TEST_F(SubmoduleRepositories, AreFinishedAfterAKillAnywhere) {
  fill_submodule(*slot_git, order);
  const auto repeat = [&](const std::string& lost) {
    write(repository() / "wtpool-filling", "");
    sh(repository(), lost);
    fill_submodule(*slot_git, order);
    expect_filled(order.commit.str());
  };
  const std::string place_text = "'" + place().string() + "'";
  repeat("touch index.lock && rm index " + place_text + "/a");
  repeat("rm index " + place_text + "/a " + place_text + "/b " + place_text + "/.git");
  repeat("rm index HEAD " + place_text + "/a " + place_text + "/b " + place_text + "/.git");
  repeat("rm -r index HEAD config packed-refs objects refs " + place_text);
}

TEST_F(SubmoduleRepositories, OfASubmoduleThatIsBackKeepItsBranches) {
  fill_submodule(*slot_git, order);
  sh(place(), "git switch -qc topic && echo c > c && git add c && git commit -qm three");
  const std::string topic = sh(place(), "git rev-parse HEAD");
  sh(slot_path(), "rm -rf lib/s1");
  order.commit = Oid(sh(sub, "git rev-parse HEAD~1"));
  fill_submodule(*slot_git, order);
  expect_filled(order.commit.str());
  EXPECT_EQ(sh(place(), "git rev-parse topic"), topic);
  EXPECT_FALSE(fs::exists(place() / "b"));
  order.commit = Oid(sh(sub, "git rev-parse HEAD"));
  fill_submodule(*slot_git, order);  // it stands there, and elsewhere
  expect_filled(order.commit.str());
}

TEST_F(SubmoduleRepositories, AreMadeOverNobodysWork) {
  write(place() / "mine", "x");
  EXPECT_EQ(kind_of([&] { fill_submodule(*slot_git, order); }), ErrorKind::blocked);
  EXPECT_EQ(read(place() / "mine"), "x");
  EXPECT_FALSE(fs::exists(repository()));
  fs::remove(place() / "mine");
  fill_submodule(*slot_git, order);
  write(place() / "a", "mine");
  order.commit = Oid(sh(sub, "git rev-parse HEAD~1"));
  fill_submodule(*slot_git, order);
  EXPECT_EQ(read(place() / "a"), "mine") << "a change that the commit does not touch stays";
}

TEST_F(SubmoduleRepositories, FollowNoSymlink) {
  fs::create_directories(root / "elsewhere");
  fs::remove_all(slot_path() / "lib");
  fs::create_directory_symlink(root / "elsewhere", slot_path() / "lib");
  EXPECT_EQ(kind_of([&] { fill_submodule(*slot_git, order); }), ErrorKind::blocked);
  fs::remove(slot_path() / "lib");
  fs::create_directory_symlink(root / "elsewhere", fs::path(entry()) / "modules");
  EXPECT_EQ(kind_of([&] { fill_submodule(*slot_git, order); }), ErrorKind::blocked);
  EXPECT_TRUE(fs::is_empty(root / "elsewhere"));
}

TEST_F(SubmoduleRepositories, AMirrorThatIsAwayIsSaid) {
  fs::rename(order.mirror, root / "away");
  EXPECT_EQ(kind_of([&] { fill_submodule(*slot_git, order); }), ErrorKind::source_missing);
  EXPECT_FALSE(fs::exists(place() / ".git"));
}

// One for its tree; a repository that stands in the slot with its own objects would take several.
TEST_F(SubmoduleRepositories, TakeOneGitThatWrites) {
  shim("case \" $* \" in *' config '*) ;; *) echo \"$*\" >> '" + (root / "calls").string() + "' ;; esac\nexec git \"$@\"\n");
  fill_submodule(*slot_git, order);
  ::setenv("PATH", old_path.c_str(), 1);
  EXPECT_EQ(sh(root, "grep -c . calls"), "1") << read(root / "calls");
}

}  // namespace
}  // namespace wtpool::git
