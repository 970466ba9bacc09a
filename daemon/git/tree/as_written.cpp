#include "daemon/git/tree/as_written.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "common/base/clock.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatch = 512;  // files that are written beside the slot at the same time
constexpr std::string_view kAttributes = ".gitattributes";

// A directory of the slot's entry, gone with the value.
class Beside {
 public:
  explicit Beside(const Git& slot) : path_(fs::path(slot.place().git_dir) / "worktree-pool" / ("tmp-tree-" + random_hex(16))) {
    make_directories(path_);
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    try {
      remove_tree(path_);
    } catch (const proto::Error&) {  // what is left goes with the next look at stale locks
    }
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void check_out(const Git& slot, std::vector<std::string> options, const std::vector<std::string>& paths) {
  Command write;
  write.arguments = {"checkout-index", "-f", "-q", "-z", "--stdin"};
  write.arguments.insert(write.arguments.end(), options.begin(), options.end());
  for (const std::string& path : paths) write.input += path + '\0';
  write.may_filter = true;
  write.limit = std::chrono::hours(2);
  // What is not in the index is named on stderr, and the rest is written all the same.
  (void)slot.run(write);
}

bool same_bytes(const fs::path& one, const fs::path& other) {
  const Fd first(::open(one.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  const Fd second(::open(other.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!first.valid() || !second.valid()) return false;
  std::array<char, 65536> left{};
  std::array<char, 65536> right{};
  const auto fill = [](int fd, std::array<char, 65536>& into) -> ssize_t {
    std::size_t have = 0;
    while (have < into.size()) {
      const ssize_t count = ::read(fd, into.data() + have, into.size() - have);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return -1;
      if (count == 0) break;
      have += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(have);
  };
  for (;;) {
    const ssize_t got = fill(first.get(), left);
    if (got < 0 || fill(second.get(), right) != got) return false;
    if (!std::equal(left.begin(), left.begin() + got, right.begin())) return false;
    if (got < static_cast<ssize_t>(left.size())) return true;
  }
}

// No symlink is followed on the way: a directory of the slot that is one leads nowhere that git wrote.
bool real_way_to(const fs::path& work_tree, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (!is_directory_no_follow(work_tree / path.substr(0, slash))) return false;
  }
  return true;
}

bool stands_as(const fs::path& work_tree, const std::string& path, const fs::path& written) {
  const auto there = lstat_of(work_tree / path);
  const auto wanted = lstat_of(written / path);
  if (!there || !wanted || !real_way_to(work_tree, path)) return false;
  if ((there->st_mode & S_IFMT) != (wanted->st_mode & S_IFMT)) return false;
  if (S_ISLNK(wanted->st_mode)) {
    std::error_code failed;
    const auto one = fs::read_symlink(work_tree / path, failed);
    return !failed && one == fs::read_symlink(written / path, failed) && !failed;
  }
  if (!S_ISREG(wanted->st_mode) || there->st_size != wanted->st_size) return false;
  if ((there->st_mode & S_IXUSR) != (wanted->st_mode & S_IXUSR)) return false;
  return same_bytes(work_tree / path, written / path);
}

std::vector<std::string> tracked_below(const Git& slot, const std::set<std::string>& directories) {
  Command list;
  list.arguments = {"ls-files", "-z", "--cached", "--"};
  for (const std::string& directory : directories) {
    list.arguments.push_back(directory.empty() ? ":(top)" : ":(top,literal)" + directory);
  }
  list.output_limit = kWholeTree;
  return split(slot.must(list), '\0');
}

}  // namespace

std::vector<std::string> not_as_written(const Git& slot, const std::vector<std::string>& paths) {
  std::vector<std::string> others;
  for (std::size_t begin = 0; begin < paths.size(); begin += kBatch) {
    const std::vector<std::string> batch(paths.begin() + static_cast<std::ptrdiff_t>(begin),
                                         paths.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kBatch, paths.size())));
    const Beside beside(slot);
    check_out(slot, {"--prefix=" + beside.path().string() + "/"}, batch);
    for (const std::string& path : batch) {
      if (!stands_as(slot.place().work_tree, path, beside.path())) others.push_back(path);
    }
  }
  return others;
}

std::size_t write_again(const Git& slot, const std::vector<std::string>& paths) {
  // What is not there was left out of the tree, or deleted: neither is a question of how it is written.
  std::vector<std::string> there;
  for (const std::string& path : paths) {
    const auto stat = lstat_of(fs::path(slot.place().work_tree) / path);
    if (stat && !S_ISDIR(stat->st_mode)) there.push_back(path);
  }
  const auto others = not_as_written(slot, there);
  // git leaves a file alone that has the size and times it remembers: these get another time first.
  constexpr struct ::timespec kLongAgo[2] = {{0, UTIME_OMIT}, {1, 0}};
  for (const std::string& path : others) {
    const fs::path file = fs::path(slot.place().work_tree) / path;
    if (real_way_to(slot.place().work_tree, path)) (void)::utimensat(AT_FDCWD, file.c_str(), kLongAgo, AT_SYMLINK_NOFOLLOW);
  }
  if (!others.empty()) check_out(slot, {"-u"}, others);
  return others.size();
}

std::size_t write_again_below_attributes(const Git& slot, const std::vector<std::string>& changed) {
  std::set<std::string> directories;
  for (const std::string& path : changed) {
    const fs::path file(path);
    if (file.filename() == kAttributes) directories.insert(file.parent_path().string());
  }
  if (directories.empty()) return 0;
  return write_again(slot, tracked_below(slot, directories));
}

std::size_t write_all_again(const Git& slot) { return write_again(slot, tracked_below(slot, {""})); }

}  // namespace wtpool::git
