// 1. The old index is read whole. 2. Each entry's stat is written over in place: entries keep their length in every version.
// 3. The entries and TREE are written with a new checksum.
#include "daemon/git/files/index_repair.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/files/files.hpp"
#include "daemon/git/files/checksum.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLimit = std::size_t{1} << 30;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kStat = 40;
constexpr std::uint32_t kAssumeValid = 0x8000;
constexpr std::uint32_t kExtended = 0x4000;
constexpr std::uint32_t kStage = 0x3000;
constexpr std::int64_t kSecond = 1'000'000'000;

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void put_number(std::string& bytes, std::size_t at, std::size_t width, std::uint32_t value) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8U * (width - 1 - i)));
}

std::uint32_t half(std::int64_t value) { return static_cast<std::uint32_t>(value); }

// A stat as git keeps it: ten numbers, all cut to 32 bits.
struct GitStat {
  std::uint32_t field[10] = {};
  enum Field : std::size_t { ctime, ctime_ns, mtime, mtime_ns, device, inode, mode, user, group, size };
};

std::uint32_t git_mode(const struct ::stat& stat) {
  if (S_ISLNK(stat.st_mode)) return 0120000;
  return (stat.st_mode & S_IXUSR) != 0 ? 0100755 : 0100644;
}

GitStat git_stat(const struct ::stat& stat) {
  const std::int64_t changed = changed_ns(stat);
  const std::int64_t modified = modified_ns(stat);
  return {{half(changed / kSecond), half(changed % kSecond), half(modified / kSecond), half(modified % kSecond),
           static_cast<std::uint32_t>(stat.st_dev), static_cast<std::uint32_t>(stat.st_ino), git_mode(stat), stat.st_uid,
           stat.st_gid, half(stat.st_size)}};
}

// lstat of paths that come sorted, without following a symlink at any component: the directories of the last path stay open.
class SortedPaths {
 public:
  explicit SortedPaths(const fs::path& root) : root_(root) {
    open_.push_back({{}, Fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))});
    if (!open_.back().fd.valid()) throw io_error("cannot read", root, errno);
  }

  std::optional<struct ::stat> stat_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::string_view directory = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    const int fd = descriptor_of(directory);
    if (fd < 0) return std::nullopt;
    const std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
    struct ::stat stat {};
    if (::fstatat(fd, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) == 0) return stat;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
    throw io_error("cannot read", root_ / path, errno);
  }

 private:
  struct Level {
    std::string path;
    Fd fd;
  };

  int descriptor_of(std::string_view directory) {
    while (open_.size() > 1 && !is_at_or_below(directory, open_.back().path)) open_.pop_back();
    while (open_.back().path.size() < directory.size()) {
      const std::size_t begin = open_.back().path.empty() ? 0 : open_.back().path.size() + 1;
      const std::size_t end = std::min(directory.find('/', begin), directory.size());
      const std::string name(directory.substr(begin, end - begin));
      Fd next(::openat(open_.back().fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next.valid()) return -1;
      open_.push_back({std::string(directory.substr(0, end)), std::move(next)});
    }
    return open_.back().fd.get();
  }

  static bool is_at_or_below(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
  }

  const fs::path& root_;
  std::vector<Level> open_;
};

class Repair {
 public:
  Repair(std::string bytes, std::size_t id, std::int64_t written, SortedPaths& tree, SortedPaths& clone)
      : bytes_(std::move(bytes)), id_(id), written_(written), tree_(tree), clone_(clone) {}

  enum class Outcome { repaired, foreign, unread };
  Outcome run() {
    const std::uint32_t version = number(bytes_, 4, 4);
    if (version < 2) return Outcome::unread;
    if (version > 4) return Outcome::foreign;
    std::size_t at = kHeader;
    for (std::uint32_t i = number(bytes_, 8, 4); i > 0; --i) {
      if (!repair_entry(version, at)) return Outcome::unread;
    }
    end_ = at;
    return find_tree(at);
  }

  [[nodiscard]] std::string text() const {
    std::string made = bytes_.substr(0, end_) + tree_extension_;
    made += id_ == 20 ? sha1(made) : sha256(made);
    return made;
  }

  IndexRepair counts;

 private:
  bool repair_entry(std::uint32_t version, std::size_t& at) {
    const std::size_t begin = at;
    std::size_t name = begin + kStat + id_ + 2;
    if (name + 2 > bytes_.size()) return false;
    std::uint32_t flags = number(bytes_, name - 2, 2);
    const std::size_t flags_at = name - 2;
    bool special = (flags & kStage) != 0;
    if ((flags & kExtended) != 0) {
      if (version < 3) return false;
      special = special || number(bytes_, name, 2) != 0;
      name += 2;
    }
    if (version == 4) {
      std::size_t dropped = 0;
      for (bool more = true; more && name < bytes_.size(); ++name) {
        const auto byte = static_cast<unsigned char>(bytes_[name]);
        more = (byte & 0x80U) != 0;
        dropped = (dropped << 7U) + (byte & 0x7FU) + (more ? 1 : 0);
      }
      if (dropped > path_.size()) return false;
      path_.resize(path_.size() - dropped);
    } else {
      path_.clear();
    }
    const std::size_t end = bytes_.find('\0', name);
    if (end == std::string::npos || end + id_ > bytes_.size()) return false;
    path_.append(bytes_, name, end - name);
    special = special || path_.empty();  // of a split index
    at = version == 4 ? end + 1 : begin + ((end - begin) / 8 + 1) * 8;
    special = special || (flags & kAssumeValid) != 0;
    if ((flags & kAssumeValid) != 0) put_number(bytes_, flags_at, 2, flags &= ~kAssumeValid);
    write_stat(begin, special ? std::nullopt : proven_stat(begin));
    return true;
  }

  // What the clone's stat says, where the old entry proves its content.
  std::optional<GitStat> proven_stat(std::size_t begin) {
    const std::uint32_t type = number(bytes_, begin + 4 * GitStat::mode, 4) & 0170000U;
    if (type != 0100000U && type != 0120000U) return std::nullopt;
    const auto old = tree_.stat_of(path_);
    if (!old || !(S_ISREG(old->st_mode) || S_ISLNK(old->st_mode)) || old->st_size == 0) return std::nullopt;
    // What is as young as the index may have been written after git looked.
    if (modified_ns(*old) >= written_) return std::nullopt;
    const GitStat expected = git_stat(*old);
    for (std::size_t i = 0; i < 10; ++i) {
      // git does not compare the device, which of a subvolume is another one after each mount.
      if (i != GitStat::device && number(bytes_, begin + 4 * i, 4) != expected.field[i]) return std::nullopt;
    }
    const auto made = clone_.stat_of(path_);
    if (!made || made->st_size != old->st_size || modified_ns(*made) != modified_ns(*old) ||
        git_mode(*made) != git_mode(*old) || (made->st_mode & S_IFMT) != (old->st_mode & S_IFMT))
      return std::nullopt;
    return git_stat(*made);
  }

  void write_stat(std::size_t begin, const std::optional<GitStat>& stat) {
    ++(stat ? counts.proven : counts.unknown);
    for (std::size_t i = 0; i < 10; ++i) {
      if (i != GitStat::mode) put_number(bytes_, begin + 4 * i, 4, stat ? stat->field[i] : 0);
    }
  }

  // An extension whose name begins with a small letter must be understood by who reads the index.
  Outcome find_tree(std::size_t at) {
    while (at + 8 + id_ <= bytes_.size()) {
      const std::size_t length = number(bytes_, at + 4, 4);
      if (length > bytes_.size() - at - 8) return Outcome::unread;
      const std::string_view name = std::string_view(bytes_).substr(at, 4);
      if (name[0] < 'A' || name[0] > 'Z') return name[0] >= 'a' && name[0] <= 'z' ? Outcome::foreign : Outcome::unread;
      if (name == "TREE") tree_extension_ = bytes_.substr(at, 8 + length);
      at += 8 + length;
    }
    return at + id_ == bytes_.size() ? Outcome::repaired : Outcome::unread;
  }

  std::string bytes_;
  const std::size_t id_;
  const std::int64_t written_;
  SortedPaths& tree_;
  SortedPaths& clone_;
  std::string path_;
  std::size_t end_ = 0;
  std::string tree_extension_;
};

void write_as_lock(const fs::path& target, std::string_view content) {
  const fs::path lock = target.string() + ".lock";
  const Fd fd(::open(lock.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) throw io_error("cannot make", lock, errno);
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t written = ::write(fd.get(), content.data() + done, content.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int why = errno;
      ::unlink(lock.c_str());
      throw io_error("cannot write", lock, why);
    }
    done += static_cast<std::size_t>(written);
  }
  if (::rename(lock.c_str(), target.c_str()) != 0) {
    const int why = errno;
    ::unlink(lock.c_str());
    throw io_error("cannot write", target, why);
  }
}

}  // namespace

IndexRepair repair_index(const fs::path& index, const fs::path& tree, const fs::path& clone, const fs::path& target) {
  const auto stat = lstat_of(index);
  const auto bytes = read_file(index, kLimit);
  if (!stat || !bytes) throw io_error("cannot read", index, ENOENT);
  const std::string damaged = index.string() + " is damaged";
  if (bytes->size() < kHeader + 20 || bytes->compare(0, 4, "DIRC") != 0)
    throw proto::Error(proto::ErrorKind::io_error, damaged);
  bool foreign = false;
  // Which hash the repository uses is not asked: only one of the two lengths adds up.
  for (const std::size_t id : {std::size_t{20}, std::size_t{32}}) {
    SortedPaths before(tree);
    SortedPaths after(clone);
    Repair repair(*bytes, id, modified_ns(*stat), before, after);
    const auto outcome = repair.run();
    if (outcome == Repair::Outcome::repaired) {
      write_as_lock(target, repair.text());
      return repair.counts;
    }
    foreign = foreign || outcome == Repair::Outcome::foreign;
  }
  if (!foreign) throw proto::Error(proto::ErrorKind::io_error, damaged);
  IndexRepair nothing;
  nothing.foreign = true;
  return nothing;
}

}  // namespace wtpool::git
