#include "daemon/git/files/entry.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using State = core::SlotFacts::Entry;
using DirectoryState = core::SlotFacts::Directory;

constexpr std::size_t kSmallFile = 64 * 1024;
constexpr std::string_view kCommondir = "../..";
constexpr std::size_t kPackedRefs = std::size_t{512} * 1024 * 1024;

// A link, a directory or a pipe, or more than git writes: what stands there is known, though it is not read.
bool is_no_file_of_gits(const fs::path& file, std::size_t limit) {
  struct ::stat stat {};
  if (::lstat(file.c_str(), &stat) != 0) return errno == ENOENT || errno == ENOTDIR;
  return !S_ISREG(stat.st_mode) || static_cast<std::uintmax_t>(stat.st_size) > limit;
}

// `unread`, where it is given, says why what stands there is not known.
std::optional<std::string> read_if_possible(const fs::path& file, std::size_t limit, std::string* unread = nullptr) {
  try {
    return read_file(file, limit);
  } catch (const proto::Error& error) {
    // That no descriptor is left says nothing of the file, nor of any other.
    if (error.message.find(std::generic_category().message(EMFILE)) != std::string::npos) throw;
    if (unread != nullptr && !is_no_file_of_gits(file, limit)) *unread = error.message;
    return std::nullopt;
  }
}

// One line without its newline; nothing when the file is missing, unreadable, empty, zero-filled or no regular file.
std::optional<std::string> line_of(const fs::path& file, std::string* unread = nullptr) {
  auto text = read_if_possible(file, kSmallFile, unread);
  if (!text || text->find('\0') != std::string::npos) return std::nullopt;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) return std::nullopt;
  return text;
}

// HEAD as text; git also takes a symbolic link to a ref.
std::optional<std::string> head_text(const fs::path& entry, std::string* unread = nullptr) {
  std::error_code failed;
  const fs::path target = fs::read_symlink(entry / "HEAD", failed);
  if (!failed) return target.string().starts_with("refs/") ? std::optional("ref: " + target.string()) : std::nullopt;
  return line_of(entry / "HEAD", unread);
}

bool sound_head(const std::string& text) { return text.starts_with("ref: refs/") || oid_from(text).has_value(); }

fs::path absolute_from(const fs::path& base, const std::string& text) {
  const fs::path path(text);
  return path.is_absolute() ? path : base / path;
}

// Most often they are the same text, and then nothing needs to be looked up.
bool same_place(const fs::path& one, const fs::path& other) { return one == other || real_path(one) == real_path(other); }

fs::path entry_path(const std::string& common_dir, const std::string& git_id) {
  return fs::path(common_dir) / "worktrees" / git_id;
}

// As git writes it, it leads two levels up; then there is nothing to look up but that no symlink is on the way.
bool leads_to(const fs::path& entry, const std::string& commondir, const fs::path& common) {
  if (commondir == kCommondir && entry.parent_path() == common / "worktrees" && is_directory_no_follow(entry.parent_path())) {
    return true;
  }
  return real_path(absolute_from(entry, commondir)) == real_path(common);
}

Entry read_entry(const fs::path& entry, const fs::path& common) {
  Entry result;
  result.git_id = entry.filename().string();
  const auto torn = [&](std::string problem) {
    result.state = State::torn;
    if (result.problem.empty()) result.problem = std::move(problem);
  };
  if (!is_directory_no_follow(entry)) {
    result.state = State::foreign;
    result.problem = "the worktree entry is no directory of its own";
    return result;
  }
  std::string unread;
  const auto gitdir = line_of(entry / "gitdir", &unread);
  if (!gitdir) {
    torn("its gitdir file is missing or damaged");
  } else if (!gitdir->ends_with("/.git")) {
    torn("its gitdir file names no .git");
  } else {
    result.worktree = fs::path(absolute_from(entry, *gitdir)).lexically_normal().parent_path().string();
  }
  const auto commondir = line_of(entry / "commondir", &unread);
  if (!commondir) {
    torn("its commondir file is missing or damaged");
  } else if (commondir->size() < kCommondir.size() && kCommondir.starts_with(*commondir)) {
    torn("its commondir file is cut");
  } else if (!leads_to(entry, *commondir, common)) {
    result.state = State::foreign;
    result.problem = "its commondir leads to another repository";
  }
  const auto head = head_text(entry, &unread);
  if (!head) {
    torn(std::string(kHeadProblem) + " is missing or damaged");
  } else if (!sound_head(*head)) {
    torn(std::string(kHeadProblem) + " is damaged");
  }
  if (!unread.empty()) {
    // Whatever it is, it is not ours to judge.
    result.state = State::foreign;
    result.unread = true;
    result.problem = unread;
  }
  return result;
}

// Those that git may have made; a symlink in the place of one is somebody's.
std::vector<fs::path> entry_paths(const std::string& common_dir) {
  auto found = children_of(fs::path(common_dir) / "worktrees");
  std::erase_if(found, [](const fs::path& entry) {
    struct ::stat stat {};
    if (::lstat(entry.c_str(), &stat) != 0) return errno == ENOENT;
    return !S_ISDIR(stat.st_mode) && !S_ISLNK(stat.st_mode);
  });
  return found;
}

std::optional<Oid> packed_value(const fs::path& common, const std::string& ref) {
  const auto text = read_if_possible(common / "packed-refs", kPackedRefs);
  if (!text) return std::nullopt;
  const std::string needle = " " + ref + "\n";
  const std::size_t at = text->find(needle);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t line = at == 0 ? 0 : text->rfind('\n', at - 1);
  const std::size_t begin = line == std::string::npos || at == 0 ? 0 : line + 1;
  return oid_from(std::string_view(*text).substr(begin, at - begin));
}

bool per_worktree(const std::string& ref) {
  return ref.starts_with("refs/bisect/") || ref.starts_with("refs/worktree/") || ref.starts_with("refs/rewritten/");
}

bool plain_ref(const std::string& ref) {
  if (!ref.starts_with("refs/")) return false;
  for (const fs::path& part : fs::path(ref)) {
    if (part == ".." || part == ".") return false;
  }
  return true;
}

void remove_if_empty(const fs::path& directory) { ::rmdir(directory.c_str()); }

}  // namespace

std::vector<Entry> list_entries(const std::string& common_dir) {
  std::vector<Entry> entries;
  for (const fs::path& entry : entry_paths(common_dir)) {
    entries.push_back(read_entry(entry, common_dir));
  }
  return entries;
}

std::vector<std::string> entry_names(const std::string& common_dir) {
  std::vector<std::string> names;
  for (const fs::path& entry : entry_paths(common_dir)) names.push_back(entry.filename().string());
  return names;
}

DirectoryFacts look_at_directory(const std::string& common_dir, const fs::path& slot) {
  DirectoryFacts facts;
  const std::string shown = printable(slot.string());
  const auto stat = lstat_of(slot);
  if (!stat) return facts;
  if (!S_ISDIR(stat->st_mode)) {
    facts.state = DirectoryState::not_a_directory;
    facts.problem = shown + (S_ISLNK(stat->st_mode) ? " is a symlink" : " is no directory");
    return facts;
  }
  const auto gitfile = lstat_of(slot / ".git");
  if (!gitfile) {
    facts.state = DirectoryState::no_gitfile;
    facts.problem = shown + " has no .git file";
    return facts;
  }
  if (!S_ISREG(gitfile->st_mode)) {
    facts.state = DirectoryState::foreign;
    facts.problem = shown + "/.git is " +
                    (S_ISLNK(gitfile->st_mode)   ? "a symlink"
                     : S_ISDIR(gitfile->st_mode) ? "a repository of its own"
                                                 : "no regular file");
    return facts;
  }
  std::string unread;
  const auto text = line_of(slot / ".git", &unread);
  if (!unread.empty()) {
    facts.state = DirectoryState::foreign;
    facts.problem = unread;
    return facts;
  }
  if (!text || !text->starts_with("gitdir: ")) {
    facts.state = DirectoryState::no_gitfile;
    facts.problem = shown + "/.git is damaged";
    return facts;
  }
  const fs::path target = absolute_from(slot, text->substr(8)).lexically_normal();
  if (target.filename().empty() || !same_place(target.parent_path(), fs::path(common_dir) / "worktrees")) {
    facts.state = DirectoryState::foreign;
    facts.problem = shown + "/.git leads to " + printable(target.string());
    return facts;
  }
  facts.state = DirectoryState::sound;
  facts.git_id = target.filename().string();
  return facts;
}

std::optional<std::string> disproof_of_place(const std::string& common_dir, const std::string& git_id, const fs::path& slot) {
  if (git_id.empty() || git_id == "." || git_id == ".." || git_id.find('/') != std::string::npos) {
    return "'" + printable(git_id) + "' names no worktree entry";
  }
  const DirectoryFacts directory = look_at_directory(common_dir, slot);
  if (directory.state == DirectoryState::absent) return printable(slot.string()) + " is not there";
  if (directory.state != DirectoryState::sound) return directory.problem;
  if (directory.git_id != git_id) {
    return printable(slot.string()) + "/.git leads to the entry " + printable(directory.git_id) + ", not " + printable(git_id);
  }
  if (!is_directory_no_follow(fs::path(common_dir) / "worktrees")) return "worktrees/ of the source is no directory of its own";
  const fs::path path = entry_path(common_dir, git_id);
  if (!lstat_of(path)) return "the source has no worktree entry " + printable(git_id);
  const Entry entry = read_entry(path, common_dir);
  if (entry.state != State::sound) return "worktree entry " + printable(git_id) + ": " + entry.problem;
  if (!same_place(entry.worktree, slot)) {
    return "worktree entry " + printable(git_id) + " belongs to " + printable(entry.worktree);
  }
  return std::nullopt;
}

std::optional<fs::path> repository_of(const fs::path& slot) {
  const auto text = line_of(slot / ".git");
  if (!text || !text->starts_with("gitdir: ")) return std::nullopt;
  const fs::path target = absolute_from(slot, text->substr(8)).lexically_normal();
  if (target.filename().empty() || target.parent_path().filename() != "worktrees" || !lstat_of(target)) return std::nullopt;
  const fs::path common = target.parent_path().parent_path();
  const Entry entry = read_entry(target, common.string());
  if (entry.state != State::sound || !same_place(entry.worktree, slot)) return std::nullopt;
  return common;
}

HeadFacts read_head(const std::string& common_dir, const std::string& git_id) {
  HeadFacts facts;
  const fs::path entry = entry_path(common_dir, git_id);
  std::optional<std::string> text = head_text(entry);
  for (int depth = 0; text && depth < 6; ++depth) {
    if (!text->starts_with("ref: ")) {
      facts.oid = oid_from(*text);
      return facts;
    }
    const std::string ref = trimmed(text->substr(5));
    if (!plain_ref(ref)) return facts;
    // With the reftable backend, HEAD is a placeholder and plain reads tell nothing.
    if (ref == "refs/heads/.invalid") return facts;
    if (depth == 0 && ref.starts_with("refs/heads/")) facts.branch = ref.substr(11);
    const fs::path home = per_worktree(ref) ? entry : fs::path(common_dir);
    text = line_of(home / ref);
    if (!text) {
      facts.oid = packed_value(common_dir, ref);
      return facts;
    }
  }
  return facts;
}

bool heal_head(const std::string& common_dir, const std::string& git_id, const std::string& branch, const Oid& at) {
  const fs::path entry = entry_path(common_dir, git_id);
  const Entry found = read_entry(entry, common_dir);
  const auto stat = lstat_of(entry / "HEAD");
  if (stat && !S_ISREG(stat->st_mode)) return false;
  const std::string text = stat ? read_file(entry / "HEAD", kSmallFile).value_or("") : "";
  // By what was read here: that it could not be read a moment ago says nothing of what it holds.
  const bool reads = text.find('\0') == std::string::npos && sound_head(text.substr(0, text.find_first_of("\r\n")));
  const bool damaged = found.state == State::torn && found.problem.starts_with(kHeadProblem) && !reads;
  // The beginning of a branch's name looks like another branch.
  const bool cut = found.state == State::sound && ("ref: refs/heads/" + branch).starts_with(text);
  if (!damaged && !cut) return false;
  const std::string ref = "refs/heads/" + branch;
  const bool stands =
      !branch.empty() && (oid_from(line_of(fs::path(common_dir) / ref).value_or("")) || packed_value(common_dir, ref));
  write_durably(entry / "HEAD", (stands ? "ref: " + ref : at.str()) + "\n", 0644);
  return true;
}

bool is_locked(const std::string& common_dir, const std::string& git_id) {
  const fs::path file = entry_path(common_dir, git_id) / "locked";
  return lstat_of(file) && line_of(file) != "initializing";
}

void lock_entry(const std::string& common_dir, const std::string& git_id, const std::string& reason) {
  if (!is_locked(common_dir, git_id)) write_durably(entry_path(common_dir, git_id) / "locked", reason + "\n", 0644);
}

fs::path move_entry_aside(const std::string& common_dir, const std::string& git_id) {
  const fs::path from = entry_path(common_dir, git_id);
  const fs::path aside = fs::path(common_dir) / "wtpool" / "aside";
  make_directories(aside, 0755, true);
  fs::path to = aside / (compact_utc(wall_now()) + "-" + git_id);
  while (lstat_of(to)) to = aside / (compact_utc(wall_now()) + "." + random_hex(8) + "-" + git_id);
  if (::rename(from.c_str(), to.c_str()) != 0) throw io_error("cannot move aside", from, errno);
  sync_directory(from.parent_path());
  sync_directory(aside);
  return to;
}

bool holds_repositories(const fs::path& entry) {
  if (!is_directory_no_follow(entry / "modules")) return false;
  std::error_code failed;
  return !fs::is_empty(entry / "modules", failed) || failed;
}

void remove_entry(const std::string& common_dir, const std::string& git_id) {
  const fs::path entry = entry_path(common_dir, git_id);
  const fs::path worktrees = entry.parent_path();
  // At once: half an entry would be a torn one, in which git fails.
  if (lstat_of(entry)) (void)move_entry_aside(common_dir, git_id);
  FAILPOINT("entry.aside");
  remove_if_empty(worktrees);
  const bool last = !lstat_of(worktrees).has_value();
  const fs::path aside = fs::path(common_dir) / "wtpool" / "aside";
  for (const fs::path& kept : children_of(aside)) {
    const std::string name = kept.filename().string();
    const std::size_t dash = name.find('-');
    if (!last && (dash == std::string::npos || name.substr(dash + 1) != git_id)) continue;
    if (holds_repositories(kept)) {
      log_warn("repositories of submodules stand in " + kept.string() + ", which is left there");
    } else {
      remove_tree(kept);
    }
  }
  remove_if_empty(aside);
  remove_if_empty(aside.parent_path());
}

}  // namespace wtpool::git
