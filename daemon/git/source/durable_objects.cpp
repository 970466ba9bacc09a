#include "daemon/git/source/durable_objects.hpp"

#include <filesystem>
#include <set>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/source/refs.hpp"
#include "proto/errors.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// Past it, `log` says the same of each merge that it said of what was merged.
constexpr std::size_t kShort = std::size_t{8} << 20;

void add_range(Command& command, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  for (const Oid& tip : tips) command.arguments.push_back(tip.str());
  command.arguments.emplace_back("--not");
  for (const Oid& old : known) command.arguments.push_back(old.str());
  command.arguments.emplace_back("--");
}

proto::Error damaged(proto::Error error) {
  error.kind = proto::ErrorKind::quarantined;
  error.message = "cannot keep the work: an object of it is missing or damaged: " + error.message;
  return error;
}

// Objects that the commits brought: themselves, their trees, and what differs from each parent. The line counts are not looked
// at; for them git reads every file's content, and so says which it cannot read. This takes its time by what is new.
std::string listed_by_log(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  Command log;
  log.arguments = {"log",           "-m",           "-t",
                   "--root",        "--raw",        "--numstat",
                   "--no-abbrev",   "--no-renames", "--no-ext-diff",
                   "--no-textconv", "--no-color",   "--no-notes",
                   "--no-relative", "-O/dev/null",  "--format=%H %T"};
  log.output_limit = kShort;
  add_range(log, tips, known);
  return git.must(log);
}

// The same objects, each once; for that, git reads all trees of the known commits too, 60 ms of 80,000 files.
std::string listed_once(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  Command walk;
  walk.arguments = {"rev-list", "--objects", "--no-object-names", "--verify-objects"};
  walk.output_limit = kWholeTree;
  add_range(walk, tips, known);
  const ChildResult result = git.run(walk);
  // Of a file's content it says so, and goes on.
  const std::size_t mismatch = result.error_tail.find("hash mismatch");
  if (result.ok() && mismatch != std::string::npos) {
    proto::Error error(proto::ErrorKind::git_failed, trimmed(result.error_tail.substr(mismatch)));
    error.git = proto::GitDetails{walk.arguments, result.exit_code, result.error_tail};
    throw damaged(error);
  }
  return result.ok() ? result.output : git.must(walk);
}

std::string new_objects(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  try {
    try {
      return listed_by_log(git, tips, known);
    } catch (const TooMuchOutput&) {
      return listed_once(git, tips, known);
    }
  } catch (const proto::Error& error) {
    if (error.kind != proto::ErrorKind::git_failed || !error.git || error.git->exit_code != 128) throw;
    if (!speaks_of_an_object(error.git->stderr_tail)) throw;
    throw damaged(error);
  }
}

std::set<std::string> ids_in(const std::string& listing) {
  std::set<std::string> ids;
  for (const std::string& line : split(listing, '\n')) {
    const auto words = split(line.substr(0, line.find('\t')), ' ');
    if (line.starts_with(":") && words.size() == 5) {
      // :<mode> <mode> <oid> <oid> <status>
      if (words[1] != "160000" && oid_from(words[3])) ids.insert(words[3]);
    } else if (words.size() == 2 && oid_from(words[0]) && oid_from(words[1])) {
      ids.insert({words[0], words[1]});
    } else if (words.size() == 1 && oid_from(words[0])) {
      ids.insert(words[0]);
    }
  }
  return ids;
}

}  // namespace

bool speaks_of_an_object(const std::string& stderr_text) {
  for (const char* words :
       {"bad object", "unable to read", "unable to parse", "unable to unpack", "not a valid object", "missing", "corrupt", "inflate",
        "loose object", "mismatch", "does not match index", "could not read", "bad tree", "bad revision", "Could not read",
        "cannot read existing object", "not a tree", "failed to read object", "packed object", "unable to get", "garbage"})
    if (stderr_text.find(words) != std::string::npos) return true;
  return false;
}

void make_durable(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  if (tips.empty()) return;
  std::vector<std::string> names;
  for (const Oid& old : known) names.push_back(old.str() + "^{commit}");
  std::vector<Oid> there;
  for (const auto& id : ids_of(git, names))
    if (id) there.push_back(*id);
  const fs::path objects = fs::path(common_dir_of(git.place())) / "objects";
  std::vector<fs::path> files;
  for (const std::string& id : ids_in(new_objects(git, tips, there))) files.push_back(objects / id.substr(0, 2) / id.substr(2));
  sync_files(files);
}

}  // namespace wtpool::git
