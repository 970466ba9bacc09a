#include "daemon/git/files/own_refs.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = 4096;  // bytes: a ref is one line

std::optional<std::string> text_of(const fs::path& file) {
  const auto stat = lstat_of(file);
  if (!stat || !S_ISREG(stat->st_mode)) return std::nullopt;
  return read_file(file, kLargest);
}

constexpr int kDeepest = 16;  // of directories below refs/worktree

void add_refs(const fs::path& directory, const std::string& prefix, int depth, std::vector<std::pair<std::string, Oid>>& refs) {
  if (depth == kDeepest || !is_directory_no_follow(directory)) return;
  for (const fs::path& child : children_of(directory)) {
    const std::string name = prefix + child.filename().string();
    if (is_directory_no_follow(child)) {
      add_refs(child, name + "/", depth + 1, refs);
    } else if (const auto text = text_of(child); text && child.extension() != ".lock") {
      if (const auto oid = oid_from(trimmed(*text))) refs.emplace_back(name, *oid);
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, Oid>> own_refs(const std::string& entry) {
  std::vector<std::pair<std::string, Oid>> refs;
  add_refs(fs::path(entry) / "refs/worktree", "", 0, refs);
  return refs;
}

}  // namespace wtpool::git
