#include "daemon/git/files/index_file.hpp"

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class IndexBits : public GitRoom {
 protected:
  using Paths = std::map<std::string, std::optional<Expected>>;
  [[nodiscard]] fs::path index() const { return fs::path(common) / "index"; }
  // What git itself says: some tag is lower-case, or S.
  bool git_says() const { return sh(source_dir, "git ls-files -v | grep -q '^[a-zS]' && echo yes || echo no") == "yes"; }
  void expect_the_same_as_git(const std::string& what) const { EXPECT_EQ(may_hide_changes(index()), git_says()) << what; }
};

TEST_F(IndexBits, AreSeenInEveryVersionOfTheIndex) {
  for (const std::string version : {"2", "3", "4"}) {
    fs::remove_all(source_dir);
    make_source();
    sh(source_dir,
       "for i in $(seq 1 300); do mkdir -p d$((i % 7))/e$((i % 3)); echo $i > d$((i % 7))/e$((i % 3))/file-$i; done; "
       "git add . && git update-index --index-version " +
           version);
    expect_the_same_as_git("nothing, version " + version);
    sh(source_dir, "git update-index --assume-unchanged d3/e1/file-10");
    EXPECT_TRUE(may_hide_changes(index()));
    expect_the_same_as_git("assume-unchanged, version " + version);
    sh(source_dir, "git update-index --no-assume-unchanged d3/e1/file-10");
    expect_the_same_as_git("cleared, version " + version);
    EXPECT_FALSE(may_hide_changes(index()));
    sh(source_dir, "git update-index --skip-worktree d3/e1/file-10");
    EXPECT_TRUE(may_hide_changes(index()));
    sh(source_dir, "git update-index --no-skip-worktree d3/e1/file-10 && echo new > new && git add -N new");
    EXPECT_FALSE(may_hide_changes(index())) << "intent to add hides nothing, version " << version;
  }
}

TEST_F(IndexBits, AreSeenWithSha256AndLongNames) {
  make_source("--object-format=sha256");
  const std::string name(200, 'n');
  sh(source_dir, "mkdir -p " + name + "/" + name + " && echo x > " + name + "/" + name + "/" + name + " && git add .");
  EXPECT_FALSE(may_hide_changes(index()));
  sh(source_dir, "git update-index --assume-unchanged " + name + "/" + name + "/" + name);
  EXPECT_TRUE(may_hide_changes(index()));
}

TEST_F(IndexBits, AreLeftToGitWhereTheIndexIsSplitOrDamaged) {
  make_source();
  EXPECT_FALSE(may_hide_changes(index()));
  const std::string whole = read(index());
  // Cut anywhere in its two entries. Behind them the answer stands, and git itself says that the file is damaged.
  constexpr std::size_t kEntries = 12 + 72 + 72;
  ASSERT_GT(whole.size(), kEntries);
  for (std::size_t length = 1; length < kEntries; ++length) {
    write(index(), whole.substr(0, length));
    EXPECT_TRUE(may_hide_changes(index())) << length;
  }
  write(index(), whole);
  sh(source_dir, "git update-index --split-index");
  EXPECT_TRUE(may_hide_changes(index()));
  EXPECT_FALSE(may_hide_changes(root / "none"));
}

TEST_F(IndexBits, SayWhetherFilesStandAsTheyWere) {
  for (const std::string format : {"sha1", "sha256"}) {
    fs::remove_all(source_dir);
    make_source("--object-format=" + format);
    const auto expected = [&](const std::string& path) -> std::optional<Expected> {
      return Expected{"100644", sh(source_dir, "git rev-parse HEAD:" + path)};
    };
    const Paths both = {{"file", expected("file")}, {"dir/inner", expected("dir/inner")}};
    const Paths file = {{"file", expected("file")}};
    const auto stand = [&](const Paths& paths) { return stand_as_recorded(index(), source_dir, paths); };
    const auto refresh = [&] { sh(source_dir, "touch -d '1 hour ago' file dir/inner && git update-index -q --refresh"); };
    refresh();
    EXPECT_TRUE(stand(both));
    EXPECT_TRUE(stand({}));
    EXPECT_TRUE(stand({{"new", std::nullopt}}));
    EXPECT_FALSE(stand({{"file", std::nullopt}})) << "it is there, and was not expected";
    EXPECT_FALSE(stand({{"new", expected("file")}}));
    EXPECT_FALSE(stand({{"file", expected("dir/inner")}})) << "other content is staged";
    EXPECT_FALSE(stand({{"file", Expected{"100755", expected("file")->id}}}));
    sh(source_dir, "touch file");
    EXPECT_FALSE(stand(file)) << "its time is another";
    EXPECT_TRUE(stand({{"dir/inner", expected("dir/inner")}}));
    refresh();
    sh(source_dir, "cp -p file copy && mv copy file");
    EXPECT_FALSE(stand(file)) << "its inode is another";
    refresh();
    sh(source_dir, "chmod +x file");
    EXPECT_FALSE(stand(file));
    sh(source_dir, "chmod -x file && rm file && ln -s dir/inner file");
    EXPECT_FALSE(stand(file));
    sh(source_dir, "rm file && git checkout -q file");
    refresh();
    sh(source_dir, "touch -d '2 hours ago' .git/index");
    EXPECT_FALSE(stand(file)) << "the index is older than the file";
    sh(source_dir, "git update-index --assume-unchanged file");
    EXPECT_FALSE(stand(file));
    sh(source_dir, "git update-index --no-assume-unchanged file && git update-index --index-version 4");
    EXPECT_FALSE(stand(file)) << "a version that is not read";
  }
  EXPECT_FALSE(stand_as_recorded(root / "none", source_dir, {}));
}

TEST_F(IndexBits, SayWhetherItIsDamaged) {
  for (const std::string format : {"sha1", "sha256"}) {
    for (const std::string version : {"2", "3", "4"}) {
      fs::remove_all(source_dir);
      make_source("--object-format=" + format);
      sh(source_dir,
         "ln -s file link && mkdir -p a/b && echo x > a/b/c && git add . && git update-index --index-version " + version);
      EXPECT_FALSE(is_damaged_index(index())) << format << version;
      const std::string whole = read(index());
      std::size_t taken_for_whole =
          0;  // cut in an extension, so that its beginning passes for a checksum: all entries are there
      for (std::size_t length = 0; length < whole.size(); ++length) {
        write(index(), whole.substr(0, length));
        if (is_damaged_index(index())) continue;
        ++taken_for_whole;
        EXPECT_EQ(sh(source_dir, "git status --porcelain"), "A  a/b/c\nA  link") << format << version << ", cut at " << length;
      }
      EXPECT_LE(taken_for_whole, 1U) << format << version;
      for (const std::size_t from : {0, 12, 13, 60}) {
        write(index(), whole.substr(0, from) + std::string(whole.size() - from, '\0'));
        EXPECT_TRUE(is_damaged_index(index())) << format << version << ", zeros from " << from;
      }
      write(index(), whole);
      sh(source_dir, "git update-index --assume-unchanged file");
      EXPECT_FALSE(is_damaged_index(index()));
      sh(source_dir, "git update-index --split-index");
      EXPECT_FALSE(is_damaged_index(index())) << "its other half is in another file";
    }
  }
  EXPECT_FALSE(is_damaged_index(root / "none"));
}

}  // namespace
}  // namespace wtpool::git
