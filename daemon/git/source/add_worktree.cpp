#include "daemon/git/source/add_worktree.hpp"

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// git syncs nothing of a worktree that it makes, and half of an entry stops every git in the source.
void sync_place(const fs::path& common, const std::string& git_id, const fs::path& slot) {
  const fs::path entry = common / "worktrees" / git_id;
  sync_files({entry / "gitdir", entry / "commondir", entry / "HEAD", entry / "locked", slot / ".git"});
  for (const fs::path& directory : {entry, common / "worktrees", common, slot, slot.parent_path()}) sync_directory(directory);
}

}  // namespace

std::string add_worktree(const Git& source, const fs::path& slot, const Oid& at, const std::string& lock_reason) {
  Command command;
  command.arguments = {"worktree", "add",       "--detach", "--no-checkout", "--lock",
                       "--reason", lock_reason, "--",       slot.string(),   at.str()};
  source.must(command);
  const DirectoryFacts made = look_at_directory(source.place().git_dir, slot);
  if (made.git_id.empty()) {
    throw proto::Error(proto::ErrorKind::git_failed, "git worktree add left no entry for " + printable(slot.string()) +
                                                         (made.problem.empty() ? "" : ": " + made.problem));
  }
  sync_place(source.place().git_dir, made.git_id, slot);
  return made.git_id;
}

}  // namespace wtpool::git
