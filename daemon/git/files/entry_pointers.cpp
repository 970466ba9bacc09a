#include "daemon/git/files/entry_pointers.hpp"

#include <algorithm>
#include <optional>

#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommondir = "../..";
constexpr std::size_t kSmallFile = 64 * 1024;

// What is left of the line; nothing when it cannot be read, or is not there: then somebody may be deleting the entry.
std::optional<std::string> left_of(const fs::path& file) {
  try {
    auto text = read_file(file, kSmallFile);
    if (text) text->resize(std::min(text->find_first_of(std::string("\0\r\n", 3)), text->size()));
    return text;
  } catch (const proto::Error&) {
    return std::nullopt;
  }
}

bool is_lost(const std::optional<std::string>& left, const std::string& whole) {
  return left && *left != whole && whole.starts_with(*left);
}

}  // namespace

std::vector<std::string> lost_pointers(const std::string& common_dir, const std::string& git_id, const fs::path& slot) {
  if (git_id.empty() || git_id == "." || git_id == ".." || git_id.find('/') != std::string::npos) return {};
  const fs::path worktrees = fs::path(common_dir) / "worktrees";
  const fs::path entry = worktrees / git_id;
  if (!is_directory_no_follow(worktrees) || !is_directory_no_follow(entry)) return {};
  const std::string gitfile = (slot / ".git").string();
  const auto gitdir = left_of(entry / "gitdir");
  const bool led_to = look_at_directory(common_dir, slot).git_id == git_id;
  if (!led_to && (gitdir != gitfile || lstat_of(gitfile))) return {};
  std::vector<std::string> lost;
  if (is_lost(gitdir, gitfile)) lost.emplace_back("gitdir");
  if (is_lost(left_of(entry / "commondir"), kCommondir)) lost.emplace_back("commondir");
  return lost;
}

std::vector<std::string> restore_pointers(const std::string& common_dir, const std::string& git_id, const fs::path& slot) {
  const auto lost = lost_pointers(common_dir, git_id, slot);
  for (const auto& name : lost) {
    const std::string text = name == "gitdir" ? (slot / ".git").string() : kCommondir;
    write_durably(fs::path(common_dir) / "worktrees" / git_id / name, text + "\n", 0644);
  }
  return lost;
}

}  // namespace wtpool::git
