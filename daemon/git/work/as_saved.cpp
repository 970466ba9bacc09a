#include "daemon/git/work/as_saved.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <functional>
#include <set>

#include "common/base/failpoint.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "common/platform/writers.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::int64_t kTick = 20'000'000;  // ns; the coarsest clock of a local file system that is in use

std::int64_t wall_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Directories of a working tree, each opened by name from the one above; the last one is kept, since paths come in order.
class Directories {
 public:
  explicit Directories(const fs::path& work_tree) : top_(::open(work_tree.c_str(), kDirectory)) {
    if (!top_.valid()) throw io_error("cannot open", work_tree, errno);
  }
  // -1: it is no directory of this tree any more.
  int at(const std::string& directory) {
    if (directory.empty()) return top_.get();
    if (directory == name_ && last_.valid()) return last_.get();
    Fd fd(::fcntl(top_.get(), F_DUPFD_CLOEXEC, 3));
    for (std::size_t begin = 0; begin <= directory.size() && fd.valid();) {
      const std::size_t end = std::min(directory.find('/', begin), directory.size());
      const std::string part = directory.substr(begin, end - begin);
      if (part.empty() || part == "." || part == ".." || part == ".git") return -1;
      fd.reset(::openat(fd.get(), part.c_str(), kDirectory));
      begin = end + 1;
    }
    if (!fd.valid()) return -1;
    name_ = directory;
    last_ = std::move(fd);
    return last_.get();
  }

 private:
  Fd top_;
  std::string name_;
  Fd last_;
};

bool is_open_for_writing(int holding, const std::string& name, const Stamp& stamp) {
  if (!S_ISREG(stamp.mode)) return false;
  const Fd file(::openat(holding, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file.valid() && platform::writers_of(file.get()) == platform::Writers::some;
}

// Of a rename alone a file's own last change is not the same: the rest is.
bool same_content(Stamp then, const Stamp& now) {
  then.changed_ns = now.changed_ns;
  return then == now;
}

class Taking {
 public:
  Taking(const fs::path& work_tree, const fs::path& holding, const fs::path& aside)
      : directories_(work_tree), holding_path_(holding), aside_(aside) {
    make_directories(holding);
    holding_.reset(::open(holding.c_str(), kDirectory));
    if (!holding_.valid()) throw io_error("cannot open", holding, errno);
  }

  void take(const std::string& path, const Stamp& stamp) {
    const auto [directory, name] = split_path(path);
    const int parent = directories_.at(directory);
    const auto now = look(parent, name);
    if (!now) return;
    if (*now != stamp) return taken_.changed.push_back(path);
    const std::string held = std::to_string(++number_);
    const auto hold = [&] { return ::renameat(parent, name.c_str(), holding_.get(), held.c_str()) == 0; };
    // Tools make directories of their caches read-only.
    if (!hold() && !(errno == EACCES && ::fchmod(parent, 0700) == 0 && hold())) {
      if (errno == ENOENT) return;
      // Where the trash is on another file system, there is a moment between the look and this.
      if (errno != EXDEV || ::unlinkat(parent, name.c_str(), 0) != 0)
        throw io_error("cannot take away", fs::path(path), errno);
      emptied_.insert(directory);
      return;
    }
    emptied_.insert(directory);
    const auto then = look(holding_.get(), held);
    if (then && same_content(stamp, *then) && !is_open_for_writing(holding_.get(), held, *then)) {
      if (::unlinkat(holding_.get(), held.c_str(), 0) != 0) throw io_error("cannot remove", holding_path_ / held, errno);
      return;
    }
    set_aside(held, path);
  }

  Taken finish() {
    for (const auto& directory : std::set<std::string, std::greater<>>(emptied_.begin(), emptied_.end())) remove_empty(directory);
    ::rmdir(holding_path_.c_str());
    if (!taken_.aside.empty()) sync_directory(aside_);
    return std::move(taken_);
  }

 private:
  static std::optional<Stamp> look(int directory, const std::string& name) {
    struct ::stat stat {};
    if (directory < 0 || ::fstatat(directory, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return stamp_of(stat);
  }

  void set_aside(const std::string& held, const std::string& path) {
    fs::path to = aside_ / path;
    make_directories(to.parent_path(), 0755, true);
    for (int n = 1; lstat_of(to); ++n) to = aside_ / (path + "." + std::to_string(n));
    if (::renameat(holding_.get(), held.c_str(), AT_FDCWD, to.c_str()) != 0) throw io_error("cannot move aside", to, errno);
    taken_.aside.push_back(path);
  }

  void remove_empty(std::string directory) {
    while (!directory.empty()) {
      const auto [above, name] = split_path(directory);
      const int parent = directories_.at(above);
      if (parent < 0 || ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return;
      directory = above;
    }
  }

  Directories directories_;
  fs::path holding_path_;
  fs::path aside_;
  Fd holding_;
  std::set<std::string> emptied_;
  int number_ = 0;
  Taken taken_;
};

}  // namespace

Stamp stamp_of(const struct ::stat& stat) {
  return {stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, modified_ns(stat), changed_ns(stat)};
}

Stamps stamps_of(const fs::path& work_tree, const std::vector<std::string>& paths) {
  Stamps stamps;
  for (const std::string& path : paths) {
    const auto stat = lstat_of(work_tree / path);
    if (stat && (S_ISREG(stat->st_mode) || S_ISLNK(stat->st_mode))) stamps[path] = stamp_of(*stat);
  }
  return stamps;
}

void let_clocks_tick(const Stamps& stamps) {
  std::int64_t youngest = 0;
  for (const auto& [path, stamp] : stamps) youngest = std::max(youngest, stamp.changed_ns);
  const std::int64_t age = wall_ns() - youngest;
  if (age >= 0 && age < kTick) ::usleep(static_cast<useconds_t>((kTick - age) / 1000));
}

Taken take_saved(const fs::path& work_tree, const Stamps& stamps, const fs::path& holding, const fs::path& aside) {
  if (stamps.empty()) return {};
  Taking taking(work_tree, holding, aside);
  for (const auto& [path, stamp] : stamps) {
    taking.take(path, stamp);
    FAILPOINT("take.one-taken");
  }
  return taking.finish();
}

bool rescue_held(const fs::path& holding, const fs::path& aside) {
  const auto rests = children_of(holding);
  if (!rests.empty()) make_directories(aside, 0755, true);
  for (const fs::path& rest : rests) {
    fs::path to = aside / ("held-" + rest.filename().string());
    for (int n = 1; lstat_of(to); ++n) to = aside / ("held-" + rest.filename().string() + "." + std::to_string(n));
    if (::rename(rest.c_str(), to.c_str()) != 0) throw io_error("cannot move aside", to, errno);
  }
  if (!rests.empty()) sync_directory(aside);
  ::rmdir(holding.c_str());
  return !rests.empty();
}

}  // namespace wtpool::git
