#include "daemon/git/checked_out.hpp"

#include "common/files.hpp"
#include "daemon/git/entries.hpp"
#include "daemon/git/source.hpp"
#include "daemon/git/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  try {
    return read_file(file).value_or("");
  } catch (const proto::Error&) {
    return {};
  }
}

}  // namespace

bool holds_branch(const fs::path& private_dir, const std::string& branch) {
  const std::string ref = "refs/heads/" + branch;
  const std::string head = trimmed(text_of(private_dir / "HEAD"));
  if (head == "ref: " + ref) return true;
  if (head.empty()) {
    std::error_code failed;
    const fs::path link = fs::read_symlink(private_dir / "HEAD", failed);
    if (!failed && link == ref) return true;
  }
  const std::string bisected = trimmed(text_of(private_dir / "BISECT_START"));
  if (bisected == branch || bisected == ref) return true;
  if (trimmed(text_of(private_dir / "rebase-apply/head-name")) == ref) return true;
  const std::string rebased = trimmed(text_of(private_dir / "rebase-merge/head-name"));
  if (rebased == ref) return true;
  if (rebased.empty()) return false;  // no rebase at all, as nearly always
  for (const std::string& line : split(text_of(private_dir / "rebase-merge" / "update-refs"), '\n')) {
    if (line == ref) return true;
  }
  return false;
}

std::optional<std::string> checked_out_at(const SourceFacts& source, const std::string& name, const std::string& except) {
  if (source.worktree && holds_branch(source.common_dir, name)) return source.worktree;
  for (const std::string& git_id : entry_names(source.common_dir)) {
    if (!except.empty() && git_id == except) continue;
    const fs::path private_dir = fs::path(source.common_dir) / "worktrees" / git_id;
    if (!holds_branch(private_dir, name)) continue;
    // Only now is it worth knowing where it stands.
    for (const Entry& entry : list_entries(source.common_dir)) {
      if (entry.git_id == git_id && !entry.worktree.empty()) return entry.worktree;
    }
    return private_dir.string();
  }
  return std::nullopt;
}

}  // namespace wtpool::git
