#include "daemon/git/tree/checkout.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <set>

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/index_file.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/filters.hpp"
#include "daemon/git/process/scratch_index.hpp"
#include "daemon/git/source/changes.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/tree/as_written.hpp"
#include "daemon/git/tree/status.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;

// What all that write the working tree have in common.
void prepare(Command& command) {
  command.environment = {{"GIT_PROGRESS_DELAY", "0"}};
  command.durable = true;
  command.may_filter = true;
  command.limit = std::chrono::hours(2);
}

// git's words are a hint only; the refs decide.
bool sounds_like_a_branch_in_the_way(const std::string& stderr_text) {
  for (const char* words : {"already exists", "cannot lock ref", "exists; cannot create"}) {
    if (stderr_text.find(words) != std::string::npos) return true;
  }
  return false;
}

std::optional<std::string> branch_in_the_way(const Git& slot, const std::string& branch) {
  Command list;
  list.arguments = {"for-each-ref", "--format=%(refname)", "--count=1", "--", "refs/heads/" + branch};
  const std::string found = trimmed(slot.must(list));
  if (found.starts_with("refs/heads/")) return found.substr(11);
  for (std::size_t slash = branch.find('/'); slash != std::string::npos; slash = branch.find('/', slash + 1)) {
    const std::string parent = branch.substr(0, slash);
    Command verify;
    verify.arguments = {"show-ref", "--verify", "-q", "--", "refs/heads/" + parent};
    if (slot.run(verify).ok()) return parent;
  }
  return std::nullopt;
}

HeadFacts head_of(const Git& slot) {
  const std::filesystem::path entry(slot.place().git_dir);
  return read_head(entry.parent_path().parent_path().string(), entry.filename().string());
}

bool stands_at(const Git& slot, const Oid& at) { return head_of(slot).oid == at; }

bool stands_detached_at(const Git& slot, const Oid& at) {
  const HeadFacts head = head_of(slot);
  return head.oid == at && !head.branch;
}

void make_branch(const Git& slot, const Command& command, const std::string& branch) {
  try {
    slot.must(command);
  } catch (const Error& error) {
    if (error.kind != ErrorKind::git_failed || !error.git || !sounds_like_a_branch_in_the_way(error.git->stderr_tail)) throw;
    const std::optional<std::string> other = branch_in_the_way(slot, branch);
    if (!other) throw;
    Error refused(ErrorKind::branch_exists,
                  "create the branch " + printable(branch) + ": " +
                      (*other == branch ? "it exists already" : "it conflicts with the branch " + printable(*other)),
                  "git branch --list " + proto::shell_word(*other));
    refused.git = error.git;
    throw refused;
  }
}

// git keeps a file from being overwritten that it takes for edited. One that stands as git wrote it is nobody's edit, and what
// is untracked has been cleared out of the way before.
bool takes_for_edited(const Git& slot, const Error& error) {
  if (error.kind != ErrorKind::git_failed || !error.git) return false;
  const bool protects = error.git->stderr_tail.find("local changes") != std::string::npos &&
                        error.git->stderr_tail.find("untracked") == std::string::npos;
  return protects && look(slot, Untracked::no, true).changed.empty();
}

// Files that both commits have and attributes tell apart: git leaves them as the first one's attributes had them written.
void write_by_attributes_of(const Git& slot, const std::optional<Oid>& from, const Oid& to) {
  if (!from || *from == to) return;
  std::vector<std::string> changed;
  try {
    for (const Change& change : changes_between(slot, *from, to)) changed.push_back(change.path);
  } catch (const Error& error) {
    // A commit that cannot be read, as a power loss leaves it, tells nothing; whoever stood there is told by others.
    if (error.kind != ErrorKind::git_failed) throw;
    return;
  }
  (void)write_again_below_attributes(slot, changed);
}

}  // namespace

void checkout_fresh(const Git& slot, const std::string& branch, const Oid& at) {
  Command command;
  command.arguments = {"checkout", "-f", slot.context().on_progress ? "--progress" : "-q", "--no-track", "-b", branch,
                       at.str(),   "--"};
  prepare(command);
  make_branch(slot, command, branch);
}

void switch_to_new(const Git& slot, const std::string& branch, const Oid& at) {
  Command command;
  // Without a start point git takes its short way, which reads no index. Where the tree stays, there is nothing to protect.
  if (stands_at(slot, at)) {
    command.arguments = {"switch", "-q", "--no-track", "-c", branch};
  } else {
    command.arguments = {"switch", "-q", "--no-overwrite-ignore", "--no-track", "-c", branch, at.str()};
  }
  prepare(command);
  const auto from = head_of(slot).oid;
  try {
    make_branch(slot, command, branch);
  } catch (const Error& error) {
    if (!takes_for_edited(slot, error)) throw;
    command.arguments = {"checkout", "-f", "-q", "--no-track", "-b", branch, at.str(), "--"};
    make_branch(slot, command, branch);
  }
  write_by_attributes_of(slot, from, at);
}

namespace {

// From here on git's work on the trees of the commit is what `read-tree` of two takes its time for, 0.4 s of CPU for 80,000
// files; `reset --keep` does without, but moves HEAD, for which it has to wait for the disk, and the branch if there is one.
constexpr std::uintmax_t kLargeIndex = 4 << 20;  // bytes, some 35,000 files

// `restore` reads and writes the index and these files, and nothing else: for a few that is 6 ms instead of 10 with 5,000
// files. With many, comparing every path with each of them is what takes the time.
constexpr std::size_t kFew = 100;

bool is_plain_file(const std::string& mode) { return mode == "100644" || mode == "100755"; }

// What `restore` is to be told, NUL after each, when that is all there is to do and nothing of anybody's stands in its way:
// it overwrites without looking, so here is looked just before. Nothing: the trees differ in more than a few plain files.
std::optional<std::string> few_files(const Git& slot, const Oid& from, const Oid& to) {
  namespace fs = std::filesystem;
  const fs::path entry = slot.place().git_dir;
  if (lstat_of(entry / "info/sparse-checkout")) return std::nullopt;
  const auto changes = changes_between(slot, from, to);
  if (changes.empty() || changes.size() > kFew) return std::nullopt;
  const fs::path work_tree = slot.place().work_tree;
  std::string paths;
  std::map<std::string, std::optional<Expected>> all;
  for (const Change& change : changes) {
    const bool is_new = change.old_mode == kNothing;
    const bool goes = change.new_mode == kNothing;
    if ((!is_new && !is_plain_file(change.old_mode)) || (!goes && !is_plain_file(change.new_mode))) return std::nullopt;
    // By them git decides how a file is written: it has to see those of the new commit first.
    if (fs::path(change.path).filename() == ".gitattributes") return std::nullopt;
    // What is there is the file itself, behind directories that are no symlinks, or nothing.
    if (in_its_way(work_tree.string(), change.path) != (is_new ? std::nullopt : std::optional(change.path))) {
      return std::nullopt;
    }
    all[change.path] = is_new ? std::nullopt : std::optional(Expected{change.old_mode, change.old_id});
    paths += change.path + '\0';
  }
  for (const auto& [path, expected] : all) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      if (all.contains(path.substr(0, slash))) return std::nullopt;  // a file becomes a directory, or the other way
    }
  }
  if (!stand_as_recorded(entry / "index", work_tree, all)) return std::nullopt;
  return paths;
}

}  // namespace

std::optional<Oid> bring_tree(const Git& slot, const Oid& from, const Oid& to) {
  const std::filesystem::path entry = slot.place().git_dir;
  if (auto paths = few_files(slot, from, to)) {
    Command command;
    prepare(command);
    command.arguments = {
        "--literal-pathspecs", "restore", "-q", "--source=" + to.str(), "--staged", "--worktree", "--pathspec-from-file=-",
        "--pathspec-file-nul"};
    command.input = std::move(*paths);
    command.durable = false;
    try {
      slot.must(command);
    } catch (const Error& error) {
      // Somebody's git refreshed the index this very moment, and nothing has changed: a switch is the second try.
      if (error.git && error.git->stderr_tail.find("index.lock': File exists") != std::string::npos) return std::nullopt;
      throw;
    }
    return from;
  }
  std::error_code ignored;
  const auto size = std::filesystem::file_size(entry / "index", ignored);
  const bool keeps = !ignored && size >= kLargeIndex && stands_detached_at(slot, from);
  Command command;
  prepare(command);
  if (keeps) {
    command.arguments = {"reset", "-q", "--keep", to.str(), "--"};
  } else {
    command.arguments = {"read-tree", "-m", "-u", from.str(), to.str()};
    command.durable =
        false;  // it moves no ref and makes no object; the index is synced by the caller, with what else has to be
  }
  try {
    slot.must(command);
  } catch (const Error& error) {
    // In the midst of the files: no other way to the commit would fare better.
    if (error.kind != ErrorKind::git_failed || !error.git || says_filter_failed(error.git->stderr_tail)) throw;
    return std::nullopt;
  }
  write_by_attributes_of(slot, from, to);
  // What git remembers of its own reset is nothing of the next holder's.
  if (keeps) ::unlink((entry / "ORIG_HEAD").c_str());
  return keeps ? to : from;
}

Fd open_index(const Git& slot) {
  const std::filesystem::path index = std::filesystem::path(slot.place().git_dir) / "index";
  Fd opened(::open(index.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened.valid()) throw io_error("cannot open", index, errno);
  return opened;
}

void switch_to_existing(const Git& slot, const std::string& branch, bool fresh) {
  Command command;
  if (fresh) {
    command.arguments = {"checkout", "-f", slot.context().on_progress ? "--progress" : "-q", "--no-guess", branch, "--"};
  } else {
    command.arguments = {"switch", "-q", "--no-overwrite-ignore", "--no-guess", branch};
  }
  prepare(command);
  const auto from = fresh ? std::nullopt : head_of(slot).oid;
  try {
    slot.must(command);
  } catch (const Error& error) {
    if (fresh || !takes_for_edited(slot, error)) throw;
    command.arguments = {"checkout", "-f", "-q", "--no-guess", branch, "--"};
    slot.must(command);
  }
  if (const auto to = head_of(slot).oid) write_by_attributes_of(slot, from, *to);
}

namespace {

// A symlink where a tracked file's directory was: through it git finds the file as it knows it, in another place, and leaves it
// at that. It is saved before, like anything untracked that a reset would overwrite.
void remove_false_directories(const Git& slot) {
  Command list;
  list.arguments = {"ls-files", "-z", "--cached"};
  list.output_limit = kWholeTree;
  const ChildResult listed = slot.run(list);
  if (!listed.ok()) return;  // an index that git cannot read is somebody else's to mend
  const std::filesystem::path work_tree = slot.place().work_tree;
  std::set<std::string> seen;
  for (const std::string& path : split(listed.output, '\0')) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string leading = path.substr(0, slash);
      if (!seen.insert(leading).second) continue;
      const auto stat = lstat_of(work_tree / leading);
      if (!stat) break;
      if (S_ISLNK(stat->st_mode) && ::unlink((work_tree / leading).c_str()) != 0)
        throw io_error("cannot remove", work_tree / leading, errno);
      if (!S_ISDIR(stat->st_mode)) break;
    }
  }
}

}  // namespace

void reset_hard(const Git& slot, const Oid& at) {
  Command command;
  command.arguments = {"checkout", "-f", "-q", "--detach", at.str(), "--"};
  prepare(command);
  const auto from = head_of(slot).oid;
  remove_false_directories(slot);
  slot.must(command);
  write_by_attributes_of(slot, from, at);
}

namespace {

void clear_bit(const Git& slot, const char* option, const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  Command command;
  command.arguments = {"update-index", option, "-z", "--stdin"};
  command.durable = true;
  for (const std::string& path : paths) command.input += path + '\0';
  slot.must(command);
}

struct HidingBits {
  std::vector<std::string> assumed;  // assume-unchanged
  std::vector<std::string> skipped;  // skip-worktree, where something stands all the same
  std::vector<std::string> left_out;
};

HidingBits hiding_bits(const Git& slot, const std::string& entry) {
  HidingBits bits;
  if (!may_hide_changes(std::filesystem::path(entry) / "index")) return bits;
  Command list;
  list.arguments = {"ls-files", "-v", "-z"};
  list.output_limit = kWholeTree;
  std::vector<std::string> skipped;
  for (const std::string& item : split(slot.must(list), '\0')) {
    if (item.size() < 3) continue;
    if (item[0] >= 'a' && item[0] <= 'z') bits.assumed.push_back(item.substr(2));
    if (item[0] == 'S' || item[0] == 's') skipped.push_back(item.substr(2));
  }
  if (skipped.empty()) return bits;
  // In a sparse slot the bits are mostly its own; git drops them itself where the file is there, and the next checkout sets
  // all of them anew by the slot's patterns.
  Command sparse;
  sparse.arguments = {"config", "--type=bool", "--get", "core.sparseCheckout"};
  if (trimmed(slot.run(sparse).output) == "true") return bits;
  // Status says of a path with the bit nothing at all. Where something stands, that is what a reset would destroy.
  for (std::string& path : skipped) {
    auto& those = in_its_way(slot.place().work_tree, path) ? bits.skipped : bits.left_out;
    those.push_back(std::move(path));
  }
  return bits;
}

}  // namespace

std::vector<std::string> clear_hiding_bits(const Git& slot, const std::string& entry) {
  auto bits = hiding_bits(slot, entry);
  clear_bit(slot, "--no-assume-unchanged", bits.assumed);
  clear_bit(slot, "--no-skip-worktree", bits.skipped);
  return std::move(bits.left_out);
}

std::vector<std::string> hidden_changes(const Git& slot, const std::string& entry) {
  const auto bits = hiding_bits(slot, entry);
  if (bits.assumed.empty() && bits.skipped.empty()) return {};
  ScratchIndex copy(slot);
  copy.copy_from_slot();
  copy.update({"--no-assume-unchanged"}, bits.assumed);
  copy.update({"--no-skip-worktree"}, bits.skipped);
  const std::string status =
      copy.git({"--no-optional-locks", "status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=dirty", "-uno"});
  std::set<std::string> hiding(bits.assumed.begin(), bits.assumed.end());
  hiding.insert(bits.skipped.begin(), bits.skipped.end());
  std::vector<std::string> changed;
  for (const std::string& item : split(status, '\0')) {
    if (item.size() > 3 && hiding.contains(item.substr(3))) changed.push_back(item.substr(3));
  }
  return changed;
}

void no_longer_left_out(const Git& slot, const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  // The files first: who is cut off in between finds them there, and not deleted. What cannot be written, the reset tells.
  Command write;
  prepare(write);
  write.arguments = {"checkout-index", "-f", "-q", "-z", "--stdin", "--ignore-skip-worktree-bits"};
  for (const std::string& path : paths) write.input += path + '\0';
  (void)slot.run(write);
  clear_bit(slot, "--no-skip-worktree", paths);
  FAILPOINT("tree.left-out-back");
}

}  // namespace wtpool::git
