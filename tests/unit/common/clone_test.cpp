#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <random>

#include "common/platform/clone.hpp"
#include "common/platform/clone_tree.hpp"
#include "common/platform/subvolume.hpp"
#include "tests/support/disks.hpp"
#include "tests/unit/common/scratch.hpp"

namespace wtpool {
namespace {

namespace fs = std::filesystem;
using testing::put;
using testing::Scratch;

std::string content_of(const fs::path& file) { return read_file(file, std::size_t{1} << 30).value_or("<nothing>"); }

std::string target_of(const fs::path& link) { return fs::read_symlink(link).string(); }

// Everything about a tree that a clone promises to keep, one line an entry.
std::map<std::string, std::string> described(const fs::path& root) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto stat = lstat_of(entry.path()).value();
    std::string text = std::to_string(stat.st_mode) + " " + std::to_string(modified_ns(stat));
    if (S_ISREG(stat.st_mode)) text += " " + content_of(entry.path());
    if (S_ISLNK(stat.st_mode)) text += " -> " + target_of(entry.path());
    all[fs::relative(entry.path(), root).string()] = text;
  }
  return all;
}

fs::path empty_directory(const fs::path& path) {
  fs::create_directories(path);
  return path;
}

void grow(const fs::path& directory, std::mt19937& random, int depth) {
  const auto below = [&](unsigned limit) { return static_cast<int>(random() % limit); };
  for (int i = 0; i < below(8); ++i) {
    const fs::path file = directory / ("f" + std::to_string(i));
    put(file, std::string(static_cast<std::size_t>(below(3) == 0 ? 0 : below(9000)), static_cast<char>('a' + below(26))));
    ::chmod(file.c_str(), below(2) == 0 ? 0644 : 0755);
    if (below(3) == 0) ::chmod(file.c_str(), 0444);
    const struct timespec times[2] = {{1'000'000 + below(1000), below(999'999'999)},
                                      {1'500'000'000 + below(1000), below(999'999'999)}};
    ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  }
  if (below(2) == 0) fs::create_symlink("/nowhere/" + std::to_string(below(99)), directory / "link");
  for (int i = 0; depth < 5 && i < below(4); ++i) {
    const fs::path child = empty_directory(directory / ("d" + std::to_string(i)));
    grow(child, random, depth + 1);
    if (below(4) == 0) ::chmod(child.c_str(), 0555);
  }
}

}  // namespace

TEST(CloneTree, KeepsModesContentSymlinksAndTimesOfRandomTrees) {
  std::mt19937 random(20240917);
  for (int round = 0; round < 200; ++round) {
    const Scratch scratch;
    const auto from = empty_directory(scratch / "from");
    const auto to = empty_directory(scratch / "to");
    grow(from, random, 0);
    const CloneReport report =
        clone_tree(from, to, {.method = CloneMethod::copy, .threads = static_cast<unsigned>(1 + random() % 4)});
    const auto expected = described(from);
    ASSERT_EQ(described(to), expected) << "round " << round;
    EXPECT_EQ(report.files + report.directories, expected.size());
  }
}

TEST(CloneTree, FollowsNoSymlinkAndLeavesOutWhatIsNoFileOfThisUser) {
  const Scratch scratch;
  const auto from = empty_directory(scratch / "from");
  const auto to = empty_directory(scratch / "to");
  empty_directory(scratch / "outside");
  put(scratch / "outside" / "secret", "s");
  fs::create_directory_symlink(scratch / "outside", from / "way-out");
  ::mkfifo((from / "pipe").c_str(), 0600);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (from / "sock").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  fs::create_directories(from / "vendor/lib/.git");
  put(from / "vendor/lib/file", "nested");
  fs::create_directories(from / ".git");
  std::vector<std::string> expected{"pipe", "sock", "vendor/lib"};
  if (::geteuid() == 0) {
    put(from / "anothers", "x");
    ASSERT_EQ(::chown((from / "anothers").c_str(), 12345, 12345), 0);
    expected.insert(expected.begin(), "anothers");
  }
  const CloneReport report = clone_tree(from, to, {.method = CloneMethod::copy});
  EXPECT_EQ(report.left_out, expected);
  EXPECT_TRUE(fs::is_symlink(to / "way-out"));
  EXPECT_FALSE(fs::exists(to / ".git"));
  EXPECT_FALSE(fs::exists(to / "vendor/lib"));
}

TEST(CloneTree, TakesWhatKeepSaysAndNamesTheRest) {
  const Scratch scratch;
  const auto from = empty_directory(scratch / "from");
  const auto to = empty_directory(scratch / "to");
  for (const auto* path : {"a/one", "a/two", "out/x/deep", "sub/file", "no/file"}) {
    empty_directory((from / path).parent_path());
    put(from / path, path);
  }
  CloneOptions options{.method = CloneMethod::copy};
  options.keep = [](const std::string& path, bool is_directory) {
    if (path == "out") return Keep::all;
    if (path == "sub") return Keep::empty;
    return path == "a" || (!is_directory && path == "a/one") ? Keep::yes : Keep::no;
  };
  const CloneReport report = clone_tree(from, to, options);
  EXPECT_EQ(report.refused, (std::vector<std::string>{"a/two", "no"}));
  EXPECT_TRUE(fs::exists(to / "a/one") && fs::exists(to / "out/x/deep"));
  EXPECT_TRUE(fs::is_directory(to / "sub") && fs::is_empty(to / "sub"));
  EXPECT_EQ(report.files, 2u);
}

TEST(CloneTree, NamesWhatChangedSince) {
  const Scratch scratch;
  const auto from = empty_directory(scratch / "from");
  put(from / "file", "x");
  const auto stat = lstat_of(from / "file").value();
  const auto clone_with = [&](std::int64_t moment, const char* name) {
    return clone_tree(from, empty_directory(scratch / name), {.method = CloneMethod::copy, .unchanged_since = moment}).changed;
  };
  EXPECT_TRUE(clone_with(changed_ns(stat), "one").empty());
  EXPECT_EQ(clone_with(changed_ns(stat) - 1, "other"), std::vector<std::string>{"file"});
}

TEST(CloneTree, WideAndDeepTreesTakeFewDescriptorsAndTooDeepIsAnError) {
  const Scratch scratch;
  const auto from = empty_directory(scratch / "from");
  for (int i = 0; i < 3000; ++i) empty_directory(from / ("d" + std::to_string(i)));
  EXPECT_EQ(clone_tree(from, empty_directory(scratch / "wide"), {.method = CloneMethod::copy}).directories, 3000u);
  fs::path deep = from;
  for (std::size_t i = 0; i < kDeepestClone; ++i) deep /= "x";
  empty_directory(deep);
  EXPECT_EQ(clone_tree(from, empty_directory(scratch / "deep"), {.method = CloneMethod::copy}).directories,
            3000u + kDeepestClone);
  empty_directory(deep / "x");
  EXPECT_THROW((void)clone_tree(from, empty_directory(scratch / "too-deep"), {.method = CloneMethod::copy}), proto::Error);
}

TEST(CloneTree, EndsWhenItIsToldTo) {
  const Scratch scratch;
  const auto from = empty_directory(scratch / "from");
  for (int i = 0; i < 20; ++i) empty_directory(from / ("d" + std::to_string(i)));
  CloneOptions options{.method = CloneMethod::copy};
  options.stop = [] { return true; };
  try {
    (void)clone_tree(from, empty_directory(scratch / "to"), options);
    FAIL() << "it went on";
  } catch (const proto::Error& error) {
    EXPECT_EQ(error.kind, proto::ErrorKind::cancelled);
  }
}

TEST(CloneTree, CopiesAFileThatTheFileSystemWouldNotCloneAndCountsIt) {
  const Scratch scratch;
  if (can_clone(scratch.path).works) GTEST_SKIP() << "files are cloned here";
  const auto from = empty_directory(scratch / "from");
  put(from / "file", "content");
  put(from / "empty", "");
  const CloneReport report = clone_tree(from, empty_directory(scratch / "to"));
  EXPECT_EQ(report.copied, 1u);  // of an empty one there is nothing to share
  EXPECT_EQ(content_of(scratch / "to" / "file"), "content");
}

TEST(CloneProbe, SaysWhyAFileSystemCannot) {
  const fs::path memory = "/dev/shm";
  if (!fs::is_directory(memory)) GTEST_SKIP() << "no /dev/shm here";
  const CloneProbe probe = can_clone(memory);
  EXPECT_FALSE(probe.works);
  EXPECT_EQ(probe.why, "tmpfs: no reflink");
}

class OnDisk : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto found = testing::directory_on(GetParam());
    if (!found) GTEST_SKIP() << testing::why_no_disk();
    root = *found;
  }
  void TearDown() override {
    if (!root.empty()) remove_tree(root);
  }
  fs::path root;
};
INSTANTIATE_TEST_SUITE_P(Reflinks, OnDisk, ::testing::Values("xfs", "btrfs"));

TEST_P(OnDisk, FilesShareTheirBlocksAndNothingElse) {
  EXPECT_TRUE(can_clone(root).works) << can_clone(root).why;
  const auto from = empty_directory(root / "from");
  std::mt19937 random(7);
  grow(from, random, 0);
  put(from / "large", std::string(std::size_t{8} << 20, 'x'));
  const auto expected = described(from);
  const CloneReport report = clone_tree(from, empty_directory(root / "to"));
  EXPECT_EQ(report.copied, 0u);
  EXPECT_EQ(described(root / "to"), expected);
  put(root / "to/large", "changed");
  EXPECT_EQ(described(from), expected);
}

TEST_P(OnDisk, TwoDirectoriesChangePlaces) {
  put(empty_directory(root / "one") / "file", "1");
  put(empty_directory(root / "other") / "file", "2");
  exchange(root / "one", root / "other");
  EXPECT_EQ(content_of(root / "one/file"), "2");
  EXPECT_EQ(content_of(root / "other/file"), "1");
  EXPECT_THROW(exchange(root / "one", root / "absent"), proto::Error);
}

TEST_P(OnDisk, SubvolumesAreThereOnBtrfsAlone) {
  ASSERT_EQ(can_snapshot(root), std::string_view(GetParam()) == "btrfs");
  if (!can_snapshot(root)) return;
  make_subvolume(root / "template");
  EXPECT_TRUE(is_subvolume(root / "template"));
  EXPECT_FALSE(is_subvolume(root));
  put(root / "template/file", "frozen");
  set_read_only(root / "template", true);
  ::sync();
  const auto before = generation_of(root / "template");
  snapshot_subvolume(root / "template", root / "slot");
  EXPECT_FALSE(is_read_only(root / "slot"));
  put(root / "slot/file", "changed");
  EXPECT_EQ(content_of(root / "template/file"), "frozen");
  // What is read-only has not changed for being cloned from; what was made writable and written to has.
  ::sync();
  EXPECT_EQ(generation_of(root / "template"), before);
  set_read_only(root / "template", false);
  put(root / "template/file", "changed");
  ::sync();
  EXPECT_NE(generation_of(root / "template"), before);
  set_read_only(root / "template", true);
  EXPECT_TRUE(remove_subvolume(root / "template"));
  EXPECT_TRUE(remove_subvolume(root / "slot"));
  empty_directory(root / "plain");
  EXPECT_FALSE(remove_subvolume(root / "plain"));
}

}  // namespace wtpool
