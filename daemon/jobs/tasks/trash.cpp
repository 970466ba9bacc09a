// Looking at kept work, bringing it back, letting it go.
#include "daemon/jobs/tasks/trash.hpp"

#include <unistd.h>
#include <filesystem>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

struct Sizes {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

void add_diff(const git::Git& git, const std::string& from, const std::string& to, Sizes& sizes) {
  git::Command diff;
  diff.arguments = {"diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", from, to};
  const auto result = git.run(diff);
  if (!result.ok()) return;
  std::string wanted;
  std::size_t begin = 0;
  while (begin < result.output.size() && result.output[begin] == ':') {
    const auto end = result.output.find('\0', begin);
    const auto next = result.output.find('\0', end + 1);
    if (end == std::string::npos || next == std::string::npos) break;
    const std::string line = result.output.substr(begin, end - begin);  // :mode mode oid oid status
    std::size_t field = 0;
    for (int i = 0; i < 3; ++i) field = line.find(' ', field) + 1;
    const std::string oid = line.substr(field, line.find(' ', field) - field);
    ++sizes.files;
    if (oid.find_first_not_of('0') != std::string::npos) wanted += oid + "\n";
    begin = next + 1;
  }
  git::Command check;
  check.arguments = {"cat-file", "--batch-check=%(objectsize)"};
  check.input = wanted;
  if (wanted.empty()) return;
  const auto sizes_text = git.run(check);
  for (std::size_t at = 0, end; (end = sizes_text.output.find('\n', at)) != std::string::npos; at = end + 1) {
    sizes.bytes += std::strtoll(sizes_text.output.c_str() + at, nullptr, 10);
  }
}

// Of what was moved instead of stored in git.
Sizes sizes_of_files(const disk::path& directory) {
  Sizes sizes;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (at->is_directory(gone) && !at->is_symlink(gone)) continue;
    ++sizes.files;
    if (at->is_regular_file(gone) && !at->is_symlink(gone)) sizes.bytes += static_cast<std::int64_t>(at->file_size(gone));
  }
  return sizes;
}

Sizes sizes_of(const ServedPool& pool, const git::Git& git, const std::string& id) {
  Sizes sizes;
  const std::string work = git::trash_ref(id, "work");
  const auto ids = git::ids_of(git, {work + "^1", work, work + "^3", work + "^3^{tree}"});
  if (ids[0] && ids[1]) add_diff(git, ids[0]->str(), ids[1]->str(), sizes);
  if (ids[2] && ids[3]) {
    const auto empty = git.must({.arguments = {"hash-object", "-t", "tree", "--stdin"}, .input = {}, .environment = {}});
    add_diff(git, empty.substr(0, empty.find('\n')), ids[3]->str(), sizes);
  }
  const Sizes moved = sizes_of_files(pool.files.trash_files(id));
  sizes.files += moved.files;
  sizes.bytes += moved.bytes;
  return sizes;
}

// By id: the refs of every entry that is this pool's. An entry without a record is of whoever serves the source.
git::TrashRefs entries_of(const ServedPool& pool, const git::Git& git) {
  git::TrashRefs entries = git::list_trash(git);
  std::erase_if(entries, [&](const auto& entry) { return !disk::read_trash_record(pool.files.trash_record(entry.first)); });
  for (const auto& item : children_of(pool.files.trash_dir())) {
    if (is_directory_no_follow(item)) entries[item.filename().string()];
  }
  return entries;
}

void drop_entry(const JobContext& job, const std::string& id, const std::vector<git::Ref>& refs) {
  git::RefTransaction transaction;
  for (const auto& ref : refs) transaction.remove(ref.name, ref.value);
  if (!refs.empty()) transaction.commit(job.source_git());
  FAILPOINT("trash.refs-dropped");
  if (lstat_of(job.pool->files.trash_files(id))) remove_tree(job.pool->files.trash_files(id));
  FAILPOINT("trash.files-dropped");
  unlink_durably(job.pool->files.trash_files(id).string() + ".deleted");
  unlink_durably(job.pool->files.trash_record(id));
}

std::vector<git::Ref> find_entry(const JobContext& job, const std::string& id) {
  const bool plain = !id.empty() && id.find('/') == std::string::npos && id.front() != '.';
  const auto entries = plain ? entries_of(*job.pool, job.source_git()) : git::TrashRefs{};
  const auto found = entries.find(id);
  if (found == entries.end()) {
    throw core::Error(core::ErrorKind::trash_unknown, "pool '" + job.pool->key.str() + "' keeps nothing as '" + id + "'",
                      "wtpool trash ls --pool " + proto::shell_word(job.pool->key.str()));
  }
  return found->second;
}

struct Kept {
  std::optional<Oid> work;
  std::vector<git::Ref> commits;  // where HEAD and the branch stood
  std::vector<git::Ref> autostashes;
  std::string name;
};

Kept kept_in(const std::string& id, const std::vector<git::Ref>& refs) {
  Kept kept;
  const std::string heads = git::trash_ref(id, "heads/");
  for (const auto& ref : refs) {
    if (ref.name == git::trash_ref(id, "work")) kept.work = ref.value;
    if (ref.name == git::trash_ref(id, "head")) kept.commits.insert(kept.commits.begin(), ref);
    if (ref.name.starts_with(git::trash_ref(id, "autostash/"))) kept.autostashes.push_back(ref);
    if (ref.name.starts_with(git::trash_ref(id, "worktree/"))) kept.commits.push_back(ref);
    if (ref.name.starts_with(heads)) {
      kept.commits.push_back(ref);
      kept.name = ref.name.substr(heads.size());
    }
  }
  return kept;
}

bool leads_to(const git::Git& git, const Oid& tip, const Oid& commit) {
  git::Command ask;
  ask.arguments = {"merge-base", "--is-ancestor", commit.str(), tip.str()};
  const auto told = git.run(ask);
  if (!told.ok() && told.exit_code != 1) (void)git.must(ask);
  return told.ok();
}

// `tips` stay such that none leads to another; but where work was saved comes first, and stays.
void add_tip(const git::Git& git, std::vector<git::Ref>& tips, const git::Ref& ref) {
  for (const auto& tip : tips) {
    if (leads_to(git, tip.value, ref.value)) return;
  }
  std::erase_if(tips, [&](const auto& tip) { return tip.type == "commit" && leads_to(git, ref.value, tip.value); });
  tips.push_back(ref);
}

// Of work as it was saved: its tracked files, and the untracked ones that were taken.
std::string whole_tree(const JobContext& job, const git::Git& git, const Oid& work) {
  const auto ids = git::ids_of(git, {work.str() + "^{tree}", work.str() + "^3^{tree}"});
  const std::string tree = ids[0] ? ids[0]->str() : std::string{};
  if (!ids[1]) return tree;
  const auto index = (job.pool->files.meta() / ("restore-" + random_hex(8) + ".index")).string();
  const std::vector<std::pair<std::string, std::string>> environment{{"GIT_INDEX_FILE", index}};
  (void)git.must({.arguments = {"read-tree", tree}, .input = {}, .environment = environment});
  git::Command list;
  list.arguments = {"ls-tree", "-r", "-z", "--full-tree", ids[1]->str()};
  (void)git.must({.arguments = {"update-index", "-z", "--index-info"}, .input = git.must(list), .environment = environment});
  const auto written = git.must({.arguments = {"write-tree"}, .input = {}, .environment = environment, .durable = true});
  (void)::unlink(index.c_str());
  return written.substr(0, written.find('\n'));
}

Oid commit_of(const git::Git& git, const std::string& tree, const std::vector<git::Ref>& parents, const std::string& message) {
  git::Command commit;
  commit.arguments = {"commit-tree", "-F", "-"};
  for (const auto& parent : parents) commit.arguments.insert(commit.arguments.end(), {"-p", parent.value.str()});
  commit.arguments.push_back(tree);
  commit.input = message;
  commit.environment = {{"GIT_AUTHOR_NAME", "wtpool"},
                        {"GIT_AUTHOR_EMAIL", "wtpool@localhost"},
                        {"GIT_COMMITTER_NAME", "wtpool"},
                        {"GIT_COMMITTER_EMAIL", "wtpool@localhost"}};
  commit.durable = true;
  const auto made = git.must(commit);
  return Oid(made.substr(0, made.find('\n')));
}

void require_free(const JobContext& job, const git::Git& git, const std::string& id, const std::string& branch) {
  const auto conflict = git::conflicting_branch(git, branch);
  if (!conflict && !git::ids_of(git, {"refs/heads/" + branch}).front()) return;
  throw core::Error(
      core::ErrorKind::branch_exists,
      "cannot restore " + id + ": " +
          (conflict ? "branch '" + branch + "' cannot be made: branch '" + *conflict + "' exists, and git cannot have both"
                    : "branch " + branch + " exists already"),
      "wtpool trash restore " + proto::shell_word(id) + " --branch ANOTHER --pool " + proto::shell_word(job.pool->key.str()));
}

// What a branch that was kept whole is worth: the commits that this entry alone keeps, and the files they changed.
void tell_commits(const ServedPool& pool, const git::Git& git, const std::string& id, const std::vector<git::Ref>& refs,
                  proto::TrashEntry& entry) {
  const Kept kept = kept_in(id, refs);
  if (kept.commits.empty()) return;
  git::Command list;
  list.arguments = {"rev-list", "--count"};
  for (const auto& ref : kept.commits) list.arguments.push_back(ref.value.str());
  list.arguments.insert(list.arguments.end(), {"--not", "--exclude=refs/wtpool/*", "--all", "--"});
  const auto counted = git.run(list);
  if (!counted.ok()) return;  // of a damaged object nothing is told
  entry.commits = std::strtoll(counted.output.c_str(), nullptr, 10);
  const std::string tip = kept.commits.back().value.str();
  git::Command subject;
  subject.arguments = {"log", "-1", "--format=%s", tip, "--"};
  entry.subject = git::trimmed(git.run(subject).output);
  git::Command base;
  base.arguments = {"merge-base", tip, pool.config.default_commit};
  const auto found = git.run(base);
  if (!found.ok()) return;
  Sizes sizes;
  add_diff(git, git::trimmed(found.output), tip, sizes);
  entry.files += sizes.files;
  entry.bytes += sizes.bytes;
}

}  // namespace

std::optional<std::string> newest_kept_of(const JobContext& job, const std::string& name) {
  std::optional<disk::TrashRecord> newest;
  for (const auto& [id, refs] : entries_of(*job.pool, job.source_git())) {
    const auto record = disk::read_trash_record(job.pool->files.trash_record(id));
    if (!record || record->name != name || refs.empty()) continue;
    if (!newest || record->time > newest->time || (record->time == newest->time && record->id > newest->id)) newest = record;
  }
  return newest ? std::optional(newest->id) : std::nullopt;
}

core::JobDone list_trash(JobContext& job, const core::job::ListTrash& spec) {
  core::done::TrashListed listed;
  for (const auto& key : spec.pools) {
    job.check_stop();
    job.pool = job.pools->find(key);
    if (!job.pool) continue;
    const git::Git git = job.source_git();
    for (const auto& [id, refs] : entries_of(*job.pool, git)) {
      proto::TrashEntry entry;
      const auto record = disk::read_trash_record(job.pool->files.trash_record(id)).value_or(disk::TrashRecord{});
      entry.id = id;
      entry.pool = key.str();
      entry.slot = record.slot;
      entry.name = record.name;
      entry.time = record.time;
      for (const auto& ref : refs) entry.refs.push_back(ref.name);
      const auto sizes = sizes_of(*job.pool, git, id);
      entry.files = sizes.files;
      entry.bytes = sizes.bytes;
      tell_commits(*job.pool, git, id, refs, entry);
      listed.entries.push_back(std::move(entry));
    }
  }
  std::stable_sort(listed.entries.begin(), listed.entries.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  return listed;
}

core::JobDone drop_trash(JobContext& job, const core::job::DropTrash& spec) {
  drop_entry(job, spec.id, find_entry(job, spec.id));
  return core::done::Plain{};
}

core::JobDone expire_trash(JobContext& job, const core::job::ExpireTrash& spec) {
  const auto now = wall_now();
  for (const auto& [id, refs] : entries_of(*job.pool, job.source_git())) {
    const auto record = disk::read_trash_record(job.pool->files.trash_record(id));
    // Without a record nobody knows its age; a clock that went back makes nothing old.
    if (!record || record->time > now || now - record->time <= spec.age.count()) continue;
    drop_entry(job, id, refs);
    log_info("trash of pool " + job.pool->key.str() + ": " + id + " of " + record->name + " expired and was dropped");
  }
  return core::done::Plain{};
}

// A branch whose tip holds everything that was kept: the tree of `work` (with its untracked files) as one commit on top of
// where it was saved, with whatever else was kept as further parents. The entry itself stays until it is dropped or expires.
core::JobDone restore_trash(JobContext& job, const core::job::RestoreTrash& spec) {
  const git::Git git = job.source_git();
  // A NAME stands for the last of its entries; no NAME looks like an ID.
  const bool is_id = lstat_of(job.pool->files.trash_record(spec.id)) || lstat_of(job.pool->files.trash_files(spec.id));
  const auto of_name = is_id || bad_name(spec.id) ? std::nullopt : newest_kept_of(job, spec.id);
  const std::string id = of_name.value_or(spec.id);
  Kept kept = kept_in(id, find_entry(job, id));
  if (kept.name.empty()) {
    if (const auto record = disk::read_trash_record(job.pool->files.trash_record(id))) kept.name = record->name;
  }
  const std::string branch = spec.branch.value_or(kept.name);
  // What a rebase set aside is what was worked at, where nothing came after it.
  if (!kept.work && !kept.autostashes.empty()) {
    kept.work = kept.autostashes.front().value;
    kept.autostashes.erase(kept.autostashes.begin());
  }
  std::vector<git::Ref> tips;
  if (kept.work) {
    if (const auto base = git::ids_of(git, {kept.work->str() + "^1"}).front())
      tips.push_back({"where it was saved", *base, {}});
  }
  for (const auto& ref : kept.commits) add_tip(git, tips, ref);
  tips.insert(tips.end(), kept.autostashes.begin(), kept.autostashes.end());
  if (tips.empty()) {
    throw core::Error(core::ErrorKind::trash_unknown, "cannot make a branch of " + id + ": it keeps files alone",
                      "ls " + proto::shell_word(job.pool->files.trash_files(id).string()));
  }
  require_free(job, git, id, branch);
  Oid tip = tips.front().value;
  if (kept.work || tips.size() > 1) {
    std::string message = "Work of " + branch + ", kept as " + id + "\n";
    for (std::size_t i = 1; i < tips.size(); ++i) {
      message += (i == 1 ? "\nIts other parents, of which nothing is in its tree:\n" : "") + tips[i].name + "\n";
    }
    const std::string tree = kept.work ? whole_tree(job, git, *kept.work) : tip.str() + "^{tree}";
    tip = commit_of(git, tree, tips, message);
  }
  git::RefTransaction transaction;
  transaction.create("refs/heads/" + branch, tip);
  transaction.commit(git);
  FAILPOINT("trash.restored");
  core::done::TrashRestored restored{branch, {}};
  const auto directory = job.pool->files.trash_files(id);
  if (const auto count = sizes_of_files(directory).files; count > 0) {
    restored.warnings.push_back(std::to_string(count) + (count == 1 ? " file is" : " files are") + " only in " +
                                directory.string() + ": not in the branch, and deleted with the entry");
  }
  return restored;
}

}  // namespace wtpool::jobs
