#include "daemon/git/seal/seal.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

using platform::TreeWatch;

constexpr std::size_t kMostContent = 64 * 1024;

bool same_directory(const FileStamp& one, const FileStamp& other) {
  return one.present && other.present && one.device == other.device && one.inode == other.inode;
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct ::stat stat {};
  if (::stat(path.c_str(), &stat) != 0) {
    FileStamp none;
    none.size = -errno;  // cannot be looked at: another answer than not there
    return none;
  }
  return {true,
          static_cast<std::uint64_t>(stat.st_dev),
          static_cast<std::uint64_t>(stat.st_ino),
          static_cast<std::int64_t>(stat.st_size),
          modified_ns(stat),
          changed_ns(stat)};
}

std::optional<std::string> content_of(const std::string& path) {
  try {
    return read_file(path, kMostContent);
  } catch (const proto::Error&) {
    return std::nullopt;
  }
}

Seal::Seal(TreeWatch watch, std::string root) : watch_(std::move(watch)), root_(std::move(root)) {}

bool Seal::Remembered::unchanged() const {
  if (stamp_of(path) == stamp) return true;
  return content && content_of(path) == content;
}

bool Seal::intact() {
  if (broken_) return false;
  broken_ = true;
  for (const TreeWatch::Event& event : watch_.drain()) {
    // Its stat is remembered: who opens it for writing and writes is found by that.
    const bool git_file_read = event.kind == TreeWatch::Kind::opened && event.directory == root_watch_ && event.name == ".git";
    if (!git_file_read) return false;
  }
  for (const Remembered& file : files_) {
    if (!file.unchanged()) return false;
  }
  // The watches follow the directory wherever it goes; this asks whether it is still the one at the slot's path.
  if (!same_directory(stamp_of(root_), root_stamp_)) return false;
  broken_ = false;
  return true;
}

}  // namespace wtpool::git
