#include "daemon/jobs/steps/half_checkout.hpp"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/process/filters.hpp"
#include "daemon/git/source/changes.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/trash/trash_id.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::string_view kLink = "120000";
constexpr std::size_t kMayBeBegun = 100;  // a git is asked for each

struct Blob {
  std::string mode;
  std::string id;
};

std::map<std::string, Blob> blobs_of(const git::Git& slot, const Oid& commit) {
  git::Command list;
  list.arguments = {"ls-tree", "-r", "-z", "--full-tree", commit.str()};
  list.output_limit = git::kWholeTree;
  const std::string tree = slot.must(list);
  std::map<std::string, Blob> blobs;
  for (std::size_t begin = 0, end; (end = tree.find('\0', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = tree.substr(begin, end - begin);  // <mode> <type> <oid>\t<path>
    const auto tab = line.find('\t');
    const auto space = line.rfind(' ', tab);
    if (tab != std::string::npos && space != std::string::npos)
      blobs[line.substr(tab + 1)] = {line.substr(0, line.find(' ')), line.substr(space + 1, tab - space - 1)};
  }
  return blobs;
}

// As a checkout would write it; nothing when that cannot be told.
std::optional<std::string> content_of(const git::Git& slot, const Oid& commit, const std::string& path, const Blob& blob) {
  git::Command show;
  show.arguments = {"cat-file", blob.mode == kLink ? "blob" : "--filters", commit.str() + ":" + path};
  show.directory = slot.place().work_tree;  // there it finds the attributes
  show.may_filter = true;
  try {
    return slot.must(show);
  } catch (const core::Error& error) {
    if (error.kind == core::ErrorKind::cancelled) throw;
    return std::nullopt;
  }
}

// A symlink of the commit's, or the beginning of one of its files, which is what a git that was ended leaves.
bool is_begun(const git::Git& slot, const Oid& commit, const disk::path& file, const std::string& path, const Blob& blob) {
  const auto stat = lstat_of(file);
  if (!stat || S_ISLNK(stat->st_mode) != (blob.mode == kLink) || (!S_ISLNK(stat->st_mode) && !S_ISREG(stat->st_mode)))
    return false;
  if (stat->st_size == 0) return true;
  const auto whole = content_of(slot, commit, path, blob);
  if (!whole) return false;
  if (S_ISLNK(stat->st_mode)) return std::filesystem::read_symlink(file).string() == *whole;
  if (static_cast<std::uintmax_t>(stat->st_size) > whole->size()) return false;
  return whole->starts_with(read_file(file, whole->size() + 1).value_or(*whole + "?"));
}

// Where a filter driver fails, files are hashed as they stand: one that should have gone through it is then somebody's.
std::string hash_as_far_as_possible(const git::Git& slot, git::Command hash) {
  try {
    return slot.must(hash);
  } catch (const core::Error& error) {
    if (!error.git || !git::says_filter_failed(error.git->stderr_tail)) throw;
    hash.arguments.emplace_back("--no-filters");
    return slot.must(hash);
  }
}

// Which of `paths` are not what `commit` has there: what an interrupted checkout wrote is the commit's own, the rest is
// somebody's. Whatever cannot be told counts as somebody's.
std::vector<std::string> not_of_commit(const git::Git& slot, const Oid& commit, const std::vector<std::string>& paths,
                                       const disk::path& work_tree) {
  std::vector<std::string> plain;
  std::vector<std::string> others;
  for (const auto& path : paths) {
    const auto stat = lstat_of(work_tree / path);
    if (!stat) continue;
    (S_ISREG(stat->st_mode) && path.find('\n') == std::string::npos ? plain : others).push_back(path);
  }
  if (plain.empty() && others.empty()) return {};
  git::Command hash;
  hash.arguments = {"hash-object", "--stdin-paths"};
  for (const auto& path : plain) hash.input += (work_tree / path).string() + "\n";
  hash.may_filter = true;
  const std::string hashes = plain.empty() ? std::string() : hash_as_far_as_possible(slot, std::move(hash));
  const auto blobs = blobs_of(slot, commit);
  std::size_t begin = 0;
  for (const auto& path : plain) {
    const auto end = hashes.find('\n', begin);
    const auto found = blobs.find(path);
    if (end == std::string::npos || found == blobs.end() || found->second.id != hashes.substr(begin, end - begin))
      others.push_back(path);
    begin = end == std::string::npos ? end : end + 1;
  }
  std::size_t asked = 0;
  std::erase_if(others, [&](const std::string& path) {
    const auto found = blobs.find(path);
    return found != blobs.end() && ++asked <= kMayBeBegun && is_begun(slot, commit, work_tree / path, path, found->second);
  });
  return others;
}

// Which of `paths` the index has as neither commit does: staged by somebody, whatever the file itself is like by now.
std::set<std::string> staged_by_somebody(const git::Git& slot, const std::optional<Oid>& from, const Oid& to,
                                         const std::vector<std::string>& paths) {
  std::set<std::string> found;
  if (paths.empty()) return found;
  const std::set<std::string> asked(paths.begin(), paths.end());
  const auto of_to = blobs_of(slot, to);
  const auto of_from = from ? blobs_of(slot, *from) : of_to;
  const auto has = [](const std::map<std::string, Blob>& blobs, const std::string& path, const std::string& id) {
    const auto blob = blobs.find(path);
    return blob != blobs.end() && blob->second.id == id;
  };
  git::Command list;
  list.arguments = {"ls-files", "--stage", "-z"};
  list.output_limit = git::kWholeTree;
  const std::string index = slot.must(list);
  for (std::size_t begin = 0, end; (end = index.find('\0', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = index.substr(begin, end - begin);  // <mode> <oid> <stage>\t<path>
    const auto first = line.find(' ');
    const auto second = line.find(' ', first + 1);
    const auto tab = line.find('\t');
    if (first == std::string::npos || second == std::string::npos || tab == std::string::npos) continue;
    const std::string path = line.substr(tab + 1);
    const std::string id = line.substr(first + 1, second - first - 1);
    if (asked.contains(path) && !has(of_from, path, id) && !has(of_to, path, id)) found.insert(path);
  }
  return found;
}

// Where a submodule belongs git leaves a directory as it is.
bool is_submodule(const git::Git& slot, const Oid& commit, const std::string& path) {
  git::Command list;
  list.arguments = {"ls-tree", "-z", "--full-tree", commit.str(), "--", path};
  return slot.must(list).starts_with(git::kSubmodule);
}

void remove_files(const disk::path& work_tree, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (::unlink((work_tree / path).c_str()) != 0 && errno != ENOENT) throw io_error("cannot remove", work_tree / path, errno);
    for (disk::path above = disk::path(path).parent_path(); !above.empty(); above = above.parent_path())
      if (::rmdir((work_tree / above).c_str()) != 0) break;
  }
}

}  // namespace

void bring_to_commit(const JobContext& job, const git::Git& slot, const std::string& git_id, const core::Lease& nobody,
                     const std::string& trash_id) {
  const auto work_tree = job.slot_path();
  auto look = git::look(slot, git::Untracked::all, true);
  if (look.head == nobody.full_sha && look.changed.empty()) return;
  (void)keep_strangers_commit(job, git_id, look, trash_id);
  auto theirs = staged_by_somebody(slot, look.head, nobody.full_sha, look.changed);
  for (auto& path : not_of_commit(slot, nobody.full_sha, look.changed, work_tree)) theirs.insert(std::move(path));
  look.changed.assign(theirs.begin(), theirs.end());
  (void)save_dirt(job, slot, git_id, nobody, look, {}, trash_id);
  FAILPOINT("recover.work-kept");
  if (look.head) {
    const auto in_way = git::in_the_way(work_tree.string(), git::paths_added(slot, *look.head, nobody.full_sha));
    const auto others = not_of_commit(slot, nobody.full_sha, in_way, work_tree);
    if (!others.empty()) {
      record_trash(job, trash_id, job.grant.slot.str());
      git::move_aside(work_tree, others, job.pool->files.trash_files(trash_id));
    }
  }
  git::reset_hard(slot, nobody.full_sha);
  FAILPOINT("recover.at-commit");
}

void bring_back(const JobContext& job, const git::Git& slot, const Oid& from, const core::Lease& to) {
  const auto work_tree = job.slot_path();
  const auto look = git::look(slot, git::Untracked::no, true);
  if (look.head == to.full_sha && look.changed.empty()) return git::reset_hard(slot, from);
  // New files are written before the index says so, and only their names tell of them.
  auto written = git::in_the_way(work_tree.string(), git::paths_added(slot, from, to.full_sha));
  if (look.head == from && look.changed.empty() && written.empty()) return;
  auto others = not_of_commit(slot, to.full_sha, written, work_tree);
  std::erase_if(written,
                [&](const std::string& path) { return std::find(others.begin(), others.end(), path) != others.end(); });
  remove_files(work_tree, written);
  auto changed = git::in_the_way(work_tree.string(), look.changed);
  std::erase_if(changed, [&](const std::string& path) {
    return is_directory_no_follow(work_tree / path) &&
           (is_submodule(slot, from, path) || is_submodule(slot, to.full_sha, path));
  });
  changed = not_of_commit(slot, from, not_of_commit(slot, to.full_sha, changed, work_tree), work_tree);
  others.insert(others.end(), changed.begin(), changed.end());
  if (!others.empty()) {
    const auto trash_id = unused_trash_id(job, to.id);
    record_trash(job, trash_id, to.name);
    git::move_aside(work_tree, others, job.pool->files.trash_files(trash_id));
    log_warn("roll-back: what stood in the way of " + to.name + " in " + job.grant.slot.str() + " is kept as " + trash_id);
  }
  git::reset_hard(slot, from);
}

}  // namespace wtpool::jobs
