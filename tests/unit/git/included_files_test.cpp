#include "daemon/git/tree/included_files.hpp"

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Include : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    write(source_dir / ".gitignore", ".env*\nbuild/\nsecret-link\n");
    sh(source_dir, "git add .gitignore && git commit -qm ignore");
    to = root / "slot";
    fs::create_directories(to);
  }
  Included include(std::uint64_t limit = 1 << 20) {
    return include_files(Git(Place{common, source_dir.string()}, {}), to.string(), limit);
  }
  fs::path to;
};

TEST_F(Include, CopiesWhatTheFileNamesAndGitIgnores) {
  write(source_dir / ".worktreeinclude", ".env\nbuild/cache/*.bin\nnot-ignored\nfile\n");
  write(source_dir / ".env", "KEY=1\n");
  write(source_dir / "dir/.env", "KEY=2\n");
  write(source_dir / "build/cache/a.bin", "a");
  write(source_dir / "build/cache/a.txt", "t");
  write(source_dir / "not-ignored", "n");
  fs::permissions(source_dir / ".env", fs::perms::owner_read | fs::perms::owner_write);
  const auto included = include();
  EXPECT_EQ(included.files, 3u);
  EXPECT_EQ(read(to / ".env"), "KEY=1\n");
  EXPECT_EQ(fs::status(to / ".env").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(read(to / "dir/.env"), "KEY=2\n");
  EXPECT_EQ(read(to / "build/cache/a.bin"), "a");
  EXPECT_FALSE(fs::exists(to / "build/cache/a.txt"));
  EXPECT_FALSE(fs::exists(to / "not-ignored")) << "git does not ignore it";
  EXPECT_FALSE(fs::exists(to / "file")) << "git tracks it";
}

TEST_F(Include, OverwritesNothingAndFollowsNoSymlink) {
  write(source_dir / ".worktreeinclude", ".env*\nsecret-link\nbuild/\n");
  write(source_dir / ".env", "theirs");
  write(root / "outside", "outside");
  fs::create_symlink(root / "outside", source_dir / "secret-link");
  fs::create_directories(source_dir / "build");
  write(source_dir / "build/x", "x");
  write(to / ".env", "mine");
  fs::create_directories(root / "elsewhere");
  fs::create_directory_symlink(root / "elsewhere", to / "build");
  EXPECT_EQ(include().files, 0u);
  EXPECT_EQ(read(to / ".env"), "mine");
  EXPECT_FALSE(fs::exists(to / "secret-link"));
  EXPECT_TRUE(fs::is_empty(root / "elsewhere"));
}

TEST_F(Include, SaysWhatDidNotFit) {
  write(source_dir / ".worktreeinclude", ".env*\n");
  write(source_dir / ".env1", std::string(60, 'x'));
  write(source_dir / ".env2", std::string(60, 'x'));
  const auto included = include(100);
  EXPECT_EQ(included.files, 1u);
  EXPECT_EQ(included.left_out, 1u);
  EXPECT_EQ(included.left_out_bytes, 60u);
  EXPECT_EQ(include(0).files, 0u);
}

TEST_F(Include, IsNothingWithoutTheFileOrWhereItIsNone) {
  write(source_dir / ".env", "x");
  EXPECT_EQ(include().files, 0u);
  fs::create_symlink(source_dir / ".gitignore", source_dir / ".worktreeinclude");
  EXPECT_EQ(include().files, 0u);
}

}  // namespace
}  // namespace wtpool::git
