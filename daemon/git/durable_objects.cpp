#include "daemon/git/durable_objects.hpp"

#include <filesystem>
#include <set>

#include "common/files.hpp"
#include "common/names.hpp"
#include "daemon/git/killed.hpp"
#include "daemon/git/refs.hpp"
#include "daemon/git/text.hpp"
#include "proto/errors.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// Objects that the commits brought: themselves, their trees, and what differs from each parent. The line counts are not looked
// at; for them git reads every file's content, and so says which it cannot read.
std::string new_objects(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  Command log;
  log.arguments = {"log",           "-m",           "-t",
                   "--root",        "--raw",        "--numstat",
                   "--no-abbrev",   "--no-renames", "--no-ext-diff",
                   "--no-textconv", "--no-color",   "--no-notes",
                   "--no-relative", "-O/dev/null",  "--format=%H %T"};
  for (const Oid& tip : tips) log.arguments.push_back(tip.str());
  log.arguments.emplace_back("--not");
  for (const Oid& old : known) log.arguments.push_back(old.str());
  log.arguments.emplace_back("--");
  try {
    return git.must(log);
  } catch (const proto::Error& error) {
    if (error.kind != proto::ErrorKind::git_failed || !error.git || error.git->exit_code != 128) throw;
    proto::Error damaged = error;
    damaged.kind = proto::ErrorKind::quarantined;
    damaged.message = "cannot keep the work: an object of it is missing or damaged: " + error.message;
    throw damaged;
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
    }
  }
  return ids;
}

}  // namespace

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
