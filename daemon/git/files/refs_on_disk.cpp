#include "daemon/git/files/refs_on_disk.hpp"

#include <filesystem>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPackedRefs = std::size_t{512} * 1024 * 1024;

// Lines are "<oid> <ref>"; the first line may be a comment, so every ref stands after a space and before a newline.
std::optional<Oid> packed_value(const std::string& packed, const std::string& ref) {
  const std::string wanted = " " + ref + "\n";
  for (auto at = packed.find(wanted); at != std::string::npos; at = packed.find(wanted, at + 1)) {
    const auto line = packed.rfind('\n', at);
    const auto begin = line == std::string::npos ? 0 : line + 1;
    if (auto oid = oid_from(std::string_view(packed).substr(begin, at - begin))) return oid;
  }
  return std::nullopt;
}

}  // namespace

std::optional<RefFiles> RefFiles::open(const std::string& common_dir) {
  if (lstat_of(fs::path(common_dir) / "reftable") || !is_directory_no_follow(fs::path(common_dir) / "refs"))
    return std::nullopt;
  return RefFiles(common_dir);
}

const std::string& RefFiles::packed() {
  if (!packed_) packed_ = read_file(fs::path(common_dir_) / "packed-refs", kPackedRefs).value_or("");
  return *packed_;
}

std::optional<Oid> RefFiles::value(const std::string& ref) {
  const auto file = fs::path(common_dir_) / ref;
  const auto stat = lstat_of(file);
  if (stat && !S_ISDIR(stat->st_mode)) {
    if (!S_ISREG(stat->st_mode)) return std::nullopt;
    if (const auto text = read_file(file)) return oid_from(trimmed(*text));
  }
  return packed_value(packed(), ref);
}

bool RefFiles::exists(const std::string& ref) {
  const auto stat = lstat_of(fs::path(common_dir_) / ref);
  return (stat && !S_ISDIR(stat->st_mode)) || packed_value(packed(), ref);
}

std::optional<std::string> RefFiles::any_below(const std::string& prefix) {
  std::error_code failed;
  for (fs::recursive_directory_iterator at(fs::path(common_dir_) / prefix, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (!is_directory_no_follow(at->path()) && at->path().extension() != ".lock") {
      return at->path().string().substr(common_dir_.size() + 1);
    }
  }
  const std::string wanted = " " + prefix + "/";
  const auto found = packed().find(wanted);
  if (found == std::string::npos) return std::nullopt;
  return packed().substr(found + 1, packed().find('\n', found) - found - 1);
}

}  // namespace wtpool::git
