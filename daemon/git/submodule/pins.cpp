#include "daemon/git/submodule/pins.hpp"

#include <map>

#include "daemon/git/files/text.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr const char* kFile = ".gitmodules";

struct Entry {
  std::string mode;
  Oid id;
};

// By path: of each that the commit has.
std::map<std::string, Entry> entries_at(const Git& repository, const Oid& commit, const std::vector<std::string>& paths) {
  Command list;
  list.arguments = {"ls-tree", "-z", "--full-tree", commit.str(), "--"};
  list.arguments.insert(list.arguments.end(), paths.begin(), paths.end());
  list.environment = {{"GIT_NO_LAZY_FETCH", "1"}};
  std::map<std::string, Entry> entries;
  for (const std::string& line : split(repository.must(list), '\0')) {  // <mode> <type> <oid>\t<path>
    const std::size_t tab = line.find('\t');
    const std::size_t mode = line.find(' ');
    if (tab == std::string::npos || mode == std::string::npos) continue;
    const std::size_t id = line.rfind(' ', tab);
    if (const auto oid = oid_from(std::string_view(line).substr(id + 1, tab - id - 1)))
      entries.emplace(line.substr(tab + 1), Entry{line.substr(0, mode), *oid});
  }
  return entries;
}

Error unreadable(const Git& repository, const Oid& commit, const std::string& why) {
  return Error(ErrorKind::bad_gitmodules, "cannot read .gitmodules of " + commit.str() + ": " + why,
               "git --git-dir=" + proto::shell_word(repository.place().git_dir) + " show " + commit.str() + ":.gitmodules");
}

}  // namespace

Pins pins_of(const Git& repository, const Oid& commit) {
  const auto files = entries_at(repository, commit, {kFile});
  const auto file = files.find(kFile);
  if (file == files.end()) return {};
  if (!file->second.mode.starts_with("100")) throw unreadable(repository, commit, "it is no plain file");
  Command read;
  read.arguments = {"config", "--no-includes", "--blob", file->second.id.str(), "-z", "--list"};
  const ChildResult listing = repository.run(read);
  if (!listing.ok()) throw unreadable(repository, commit, "git makes nothing of it");
  Declarations found = declared_submodules(config_entries(listing.output));
  Pins pins;
  pins.refused = std::move(found.refused);
  std::vector<std::string> paths;
  for (const DeclaredSubmodule& declared : found.usable) paths.push_back(declared.path);
  if (paths.empty()) return pins;
  const auto entries = entries_at(repository, commit, paths);
  for (DeclaredSubmodule& declared : found.usable) {
    const auto entry = entries.find(declared.path);
    if (entry == entries.end() || entry->second.mode != "160000") continue;
    pins.pinned.push_back({std::move(declared), entry->second.id});
  }
  return pins;
}

}  // namespace wtpool::git
