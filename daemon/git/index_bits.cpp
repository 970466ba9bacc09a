// The format is git's own (gitformat-index): a header, entries sorted by path, extensions, a checksum.
#include "daemon/git/index_bits.hpp"

#include <cstdint>
#include <optional>
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

enum class Scan { clean, hides, unreadable };

// Where the entries end, or why the question cannot be settled here. `id` is the length of an object id.
Scan scan_entries(std::string_view bytes, std::size_t id, std::uint32_t version, std::uint32_t count, std::size_t& at) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t begin = at;
    std::size_t name = begin + kStat + id + 2;
    if (name + 2 > bytes.size()) return Scan::unreadable;
    const std::uint32_t flags = number(bytes, name - 2, 2);
    if ((flags & kAssumeValid) != 0) return Scan::hides;
    if ((flags & kExtended) != 0) {
      if (version < 3) return Scan::unreadable;
      if ((number(bytes, name, 2) & kSkipWorktree) != 0) return Scan::hides;
      name += 2;
    }
    if (version == 4) {
      // How much of the last name to keep, as a number of variable length; then the rest of the name.
      while (name < bytes.size() && (static_cast<unsigned char>(bytes[name]) & 0x80U) != 0) ++name;
      ++name;
    }
    const std::size_t end = bytes.find('\0', name);
    if (end == std::string_view::npos) return Scan::unreadable;
    at = version == 4 ? end + 1 : begin + ((end - begin) / 8 + 1) * 8;
  }
  return Scan::clean;
}

Scan scan(std::string_view bytes, std::size_t id) {
  const std::uint32_t version = number(bytes, 4, 4);
  if (version < 2 || version > 4) return Scan::unreadable;
  std::size_t at = kHeader;
  const Scan entries = scan_entries(bytes, id, version, number(bytes, 8, 4), at);
  if (entries != Scan::clean) return entries;
  // Extensions up to the checksum must add up exactly: that also proves that the entries were read as they were meant.
  while (at + 8 + id <= bytes.size()) {
    if (bytes.substr(at, 4) == "link") return Scan::unreadable;  // split: the entries are in another file
    at += 8 + number(bytes, at + 4, 4);
  }
  return at + id == bytes.size() ? Scan::clean : Scan::unreadable;
}

}  // namespace

bool may_hide_changes(const std::filesystem::path& index) {
  try {
    const auto bytes = read_file(index, kLimit);
    if (!bytes) return false;  // no index, no entries
    if (bytes->size() < kHeader + 20 || bytes->substr(0, 4) != "DIRC") return true;
    // Which hash the repository uses is not asked: only one of the two lengths adds up.
    return scan(*bytes, 20) != Scan::clean && scan(*bytes, 32) != Scan::clean;
  } catch (const proto::Error&) {
    return true;
  }
}

}  // namespace wtpool::git
