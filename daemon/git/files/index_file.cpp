// The format is git's own (gitformat-index): a header, entries sorted by path, extensions, a checksum.
#include "daemon/git/files/index_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/files/files.hpp"

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

// What git keeps of a stat, in its order; all of it cut to 32 bits.
constexpr std::size_t kModified = 8;
constexpr std::size_t kInode = 20;
constexpr std::size_t kSize = 36;
constexpr std::uint32_t kStage = 0x3000;
constexpr std::int64_t kClockGrain = 20'000'000;  // nanoseconds; file systems take their times from a clock that ticks

struct Entry {
  std::string_view stat;
  std::string_view id;      // its bytes
  std::string_view path;    // of version 4: what is not shared with the one before
  std::size_t dropped = 0;  // of version 4: how much of the end of the one before is not
  std::uint32_t flags = 0;
  std::uint32_t more_flags = 0;
};
using Visit = std::function<void(const Entry&)>;

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
bool scan_entries(std::string_view bytes, std::size_t id, std::uint32_t version, std::size_t& at, Scan& scan,
                  const Visit& visit) {
  const std::uint32_t count = number(bytes, 8, 4);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t begin = at;
    std::size_t name = begin + kStat + id + 2;
    if (name + 2 > bytes.size() || !is_file_type(number(bytes, begin + kMode, 4))) return false;
    if (bytes.substr(begin + kStat, id).find_first_not_of('\0') == std::string_view::npos) return false;
    const std::uint32_t flags = number(bytes, name - 2, 2);
    std::uint32_t more_flags = 0;
    scan.hides = scan.hides || (flags & kAssumeValid) != 0;
    if ((flags & kExtended) != 0) {
      if (version < 3) return false;
      more_flags = number(bytes, name, 2);
      scan.hides = scan.hides || (more_flags & kSkipWorktree) != 0;
      name += 2;
    }
    std::size_t dropped = 0;
    if (version == 4) {
      // How much of the last name to drop, as a number of variable length; then the rest of the name.
      for (bool more = true; more && name < bytes.size(); ++name) {
        const auto byte = static_cast<unsigned char>(bytes[name]);
        more = (byte & 0x80U) != 0;
        dropped = (dropped << 7U) + (byte & 0x7FU) + (more ? 1 : 0);
      }
    }
    const std::size_t end = bytes.find('\0', name);
    if (end == std::string_view::npos) return false;
    if (visit)
      visit({bytes.substr(begin, kStat), bytes.substr(begin + kStat, id), bytes.substr(name, end - name), dropped, flags,
             more_flags});
    at = version == 4 ? end + 1 : begin + ((end - begin) / 8 + 1) * 8;
  }
  return true;
}

Scan scan_with(std::string_view bytes, std::size_t id, const Visit& visit) {
  Scan scan;
  const std::uint32_t version = number(bytes, 4, 4);
  scan.foreign = version > 4;
  if (version < 2 || scan.foreign) return scan;
  std::size_t at = kHeader;
  if (!scan_entries(bytes, id, version, at, scan, visit)) return scan;
  // Extensions up to the checksum must add up exactly: that also proves that the entries were read as they were meant.
  while (at + 8 + id <= bytes.size() && bytes[at] != '\0') {
    scan.foreign = scan.foreign || bytes.substr(at, 4) == "link";  // split: the entries are in another file
    at += 8 + number(bytes, at + 4, 4);
  }
  scan.whole = at + id == bytes.size();
  return scan;
}

bool may_be_index(std::string_view bytes) { return bytes.size() >= kHeader + 20 && bytes.substr(0, 4) == "DIRC"; }

// Which hash the repository uses is not asked: only one of the two lengths adds up.
constexpr std::size_t kIdLengths[] = {20, 32};

Scan scan(std::string_view bytes, const Visit& visit = {}) {
  if (!may_be_index(bytes)) return {};
  const Scan one = scan_with(bytes, kIdLengths[0], visit);
  if (one.whole) return one;
  const Scan other = scan_with(bytes, kIdLengths[1], visit);
  return other.whole || other.foreign ? other : one;
}

bool is_as_expected(const Entry& entry, const Expected& expected) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const char byte : entry.id) {
    id += kDigits[static_cast<unsigned char>(byte) >> 4U];
    id += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  const bool plain = (entry.flags & (kAssumeValid | kStage)) == 0 && entry.more_flags == 0;
  return plain && id == expected.id && number(entry.stat, kMode, 4) == std::strtoul(expected.mode.c_str(), nullptr, 8);
}

// The file behind an entry, by all that git compares, and the nanoseconds, which git may have been built to ignore. What is as
// young as the index may have been written after git looked; it marks such an entry by the size 0.
bool stands(const Entry& entry, const std::filesystem::path& file, std::int64_t index_written) {
  const auto stat = lstat_of(file);
  if (!stat || !S_ISREG(stat->st_mode) || stat->st_size == 0 || modified_ns(*stat) + kClockGrain >= index_written) return false;
  const auto half = [](auto value) { return static_cast<std::uint32_t>(value); };
  const auto is = [&](std::size_t at, std::int64_t nanoseconds) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    return number(entry.stat, at, 4) == half(nanoseconds / kSecond) &&
           number(entry.stat, at + 4, 4) == half(nanoseconds % kSecond);
  };
  const bool executable = (stat->st_mode & S_IXUSR) != 0;
  return is(0, changed_ns(*stat)) && is(kModified, modified_ns(*stat)) && number(entry.stat, kInode, 4) == half(stat->st_ino) &&
         number(entry.stat, kSize, 4) == half(stat->st_size) &&
         number(entry.stat, kMode, 4) == (executable ? 0100755U : 0100644U);
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

std::optional<std::set<std::string>> directories_in(const std::filesystem::path& index) {
  try {
    std::set<std::string> directories{""};
    const auto bytes = read_file(index, kLimit);
    if (!bytes) return directories;
    if (!may_be_index(*bytes)) return std::nullopt;
    const bool shortened = number(*bytes, 4, 4) == 4;
    std::string path;
    std::string last;
    const Visit collect = [&](const Entry& entry) {
      path.resize(shortened && entry.dropped <= path.size() ? path.size() - entry.dropped : 0);
      path += entry.path;
      std::string directory = path.substr(0, std::min(path.rfind('/'), path.size()));
      if (path.find('/') == std::string::npos || directory == last) return;
      last = directory;
      while (!directory.empty() && directories.insert(directory).second) {
        const std::size_t slash = directory.rfind('/');
        directory.resize(slash == std::string::npos ? 0 : slash);
      }
    };
    for (const std::size_t id : kIdLengths) {
      const Scan found = scan_with(*bytes, id, collect);
      if (found.whole) return found.foreign ? std::nullopt : std::optional(std::move(directories));
      directories = {""};
      path.clear();
      last.clear();
    }
    return std::nullopt;
  } catch (const proto::Error&) {
    return std::nullopt;
  }
}

bool stand_as_recorded(const std::filesystem::path& index, const std::filesystem::path& work_tree,
                       const std::map<std::string, std::optional<Expected>>& paths) {
  try {
    const auto stat = lstat_of(index);
    const auto bytes = read_file(index, kLimit);
    if (!stat || !bytes || bytes->size() < kHeader || number(*bytes, 4, 4) > 3) return false;
    std::map<std::string_view, const std::optional<Expected>*> wanted;
    for (const auto& [path, expected] : paths) wanted.emplace(path, &expected);
    bool all = true;
    const Scan found = scan(*bytes, [&](const Entry& entry) {
      const auto at = wanted.find(entry.path);
      if (at == wanted.end()) return;
      all = all && *at->second && is_as_expected(entry, **at->second) &&
            stands(entry, work_tree / entry.path, modified_ns(*stat));
      wanted.erase(at);
    });
    const bool rest_is_absent = std::all_of(wanted.begin(), wanted.end(), [](const auto& each) { return !*each.second; });
    return found.whole && !found.foreign && all && rest_is_absent;
  } catch (const proto::Error&) {
    return false;
  }
}

}  // namespace wtpool::git
