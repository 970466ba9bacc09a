// The format is git's own (gitformat-index): a header, entries sorted by path, extensions, a checksum.
#include "daemon/git/index_bits.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include "common/files.hpp"

namespace wtpool::git {
namespace {

constexpr std::size_t kLimit = std::size_t{1} << 30;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kStat = 40;  // times, device, inode, mode, owner, size
constexpr std::uint32_t kAssumeValid = 0x8000;
constexpr std::uint32_t kExtended = 0x4000;
constexpr std::uint32_t kSkipWorktree = 0x4000;  // in the second half of extended flags

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

constexpr std::size_t kMode = 24;  // where it stands in what stat said

struct Scan {
  bool whole = false;    // every entry and extension was read as it was meant
  bool foreign = false;  // of a form that is not read here
  bool hides = false;
};

bool is_file_type(std::uint32_t mode) {
  switch (mode >> 12U) {
    case 004:  // directory, of a sparse index
    case 010:  // file
    case 012:  // symlink
    case 016:  // submodule
      return true;
    default:
      return false;
  }
}

// False when an entry is not as git writes it. Then, `at` is where the entries end. `id` is the length of an object id.
bool scan_entries(std::string_view bytes, std::size_t id, std::uint32_t version, std::size_t& at, Scan& scan) {
  const std::uint32_t count = number(bytes, 8, 4);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t begin = at;
    std::size_t name = begin + kStat + id + 2;
    if (name + 2 > bytes.size() || !is_file_type(number(bytes, begin + kMode, 4))) return false;
    if (bytes.substr(begin + kStat, id).find_first_not_of('\0') == std::string_view::npos) return false;
    const std::uint32_t flags = number(bytes, name - 2, 2);
    scan.hides = scan.hides || (flags & kAssumeValid) != 0;
    if ((flags & kExtended) != 0) {
      if (version < 3) return false;
      scan.hides = scan.hides || (number(bytes, name, 2) & kSkipWorktree) != 0;
      name += 2;
    }
    if (version == 4) {
      // How much of the last name to keep, as a number of variable length; then the rest of the name.
      while (name < bytes.size() && (static_cast<unsigned char>(bytes[name]) & 0x80U) != 0) ++name;
      ++name;
    }
    const std::size_t end = bytes.find('\0', name);
    if (end == std::string_view::npos) return false;
    at = version == 4 ? end + 1 : begin + ((end - begin) / 8 + 1) * 8;
  }
  return true;
}

Scan scan_with(std::string_view bytes, std::size_t id) {
  Scan scan;
  const std::uint32_t version = number(bytes, 4, 4);
  scan.foreign = version > 4;
  if (version < 2 || scan.foreign) return scan;
  std::size_t at = kHeader;
  if (!scan_entries(bytes, id, version, at, scan)) return scan;
  // Extensions up to the checksum must add up exactly: that also proves that the entries were read as they were meant.
  while (at + 8 + id <= bytes.size() && bytes[at] != '\0') {
    scan.foreign = scan.foreign || bytes.substr(at, 4) == "link";  // split: the entries are in another file
    at += 8 + number(bytes, at + 4, 4);
  }
  scan.whole = at + id == bytes.size();
  return scan;
}

// Which hash the repository uses is not asked: only one of the two lengths adds up.
Scan scan(std::string_view bytes) {
  if (bytes.size() < kHeader + 20 || bytes.substr(0, 4) != "DIRC") return {};
  const Scan one = scan_with(bytes, 20);
  if (one.whole) return one;
  const Scan other = scan_with(bytes, 32);
  return other.whole || other.foreign ? other : one;
}

}  // namespace

bool may_hide_changes(const std::filesystem::path& index) {
  try {
    const auto bytes = read_file(index, kLimit);
    if (!bytes) return false;  // no index, no entries
    const Scan found = scan(*bytes);
    return !found.whole || found.foreign || found.hides;
  } catch (const proto::Error&) {
    return true;
  }
}

bool is_damaged_index(const std::filesystem::path& index) {
  try {
    const auto bytes = read_file(index, kLimit);
    if (!bytes) return false;
    const Scan found = scan(*bytes);
    return !found.whole && !found.foreign;
  } catch (const proto::Error&) {
    return false;
  }
}

}  // namespace wtpool::git
