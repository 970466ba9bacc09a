#include <algorithm>
#include <filesystem>
#include <map>

#include "common/base/names.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/pruning.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/source/source.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;

struct Remote {
  bool has_url = false;
  bool mirror = false;
  bool skipped = false;
  std::vector<std::string> fetch;
};

std::map<std::string, Remote> remotes_of(const Git& source) {
  std::map<std::string, Remote> remotes;
  Command list;
  list.arguments = {"config", "-z", "--get-regexp", "^remote\\..*\\.(url|fetch|mirror|skipfetchall|skipdefaultupdate)$"};
  for (const std::string& item : split(source.run(list).output, '\0')) {
    const std::size_t newline = item.find('\n');
    const std::string key = item.substr(0, newline);
    const std::string value = newline == std::string::npos ? "true" : item.substr(newline + 1);
    const std::size_t last = key.rfind('.');
    if (last <= 7) continue;
    const std::string variable = key.substr(last + 1);
    Remote& remote = remotes[key.substr(7, last - 7)];
    const bool yes = value == "true" || value == "yes" || value == "on" || value == "1";
    if (variable == "url") remote.has_url = true;
    if (variable == "fetch") remote.fetch.push_back(value);
    if (variable == "mirror") remote.mirror = yes;
    if (variable.starts_with("skip")) remote.skipped = remote.skipped || yes;
  }
  return remotes;
}

// The remote's own refspecs as far as they fill its tracking refs. A mirror's would write into refs/heads, over branches that
// slots have checked out; such a remote gets the tracking refs that a plain clone would have.
std::vector<std::string> refspecs_of(const std::string& name, const Remote& remote) {
  std::vector<std::string> refspecs;
  bool positive = false;
  for (const std::string& refspec : remote.fetch) {
    const std::size_t colon = refspec.find(':');
    const bool tracking = colon != std::string::npos && refspec.compare(colon + 1, 13, "refs/remotes/") == 0;
    if (tracking || refspec.starts_with('^')) refspecs.push_back(refspec);
    positive = positive || tracking;
  }
  if (!positive) refspecs.push_back("+refs/heads/*:refs/remotes/" + name + "/*");
  return refspecs;
}

// Where git itself would run: a remote may be at a relative path, and that is relative to the top of the working tree.
std::string home_of(const Git& source) {
  const std::filesystem::path common_dir(source.place().git_dir);
  if (common_dir.filename() != ".git") return {};
  Command ask;
  ask.arguments = {"config", "--type=bool", "--get", "core.bare"};
  return trimmed(source.run(ask).output) == "true" ? std::string{} : common_dir.parent_path().string();
}

Command fetch_command(const std::string& remote, const std::vector<std::string>& refspecs, const std::string& home) {
  Command command;
  command.task = "fetch from '" + printable(remote) + "'";
  command.directory = home;
  command.arguments = {"fetch",
                       "-q",
                       "--no-write-fetch-head",
                       "--no-tags",
                       "--no-prune-tags",
                       "--no-auto-maintenance",
                       "--no-recurse-submodules",
                       "--refmap=",
                       "--",
                       remote};
  command.arguments.insert(command.arguments.end(), refspecs.begin(), refspecs.end());
  return command;
}

}  // namespace

bool fetch(const Git& source, const std::optional<Oid>& wanted) {
  const std::string home = home_of(source);
  std::vector<std::string> fetched;
  std::optional<Error> origin_failed;
  std::optional<Error> other_failed;
  for (const auto& [name, remote] : remotes_of(source)) {
    // Only pushed to, or left out by the user.
    if (!remote.has_url || remote.skipped || (remote.mirror && remote.fetch.empty())) continue;
    try {
      source.must(fetch_command(name, refspecs_of(name, remote), home));
      fetched.push_back(name);
    } catch (const Error& error) {
      if (error.kind != ErrorKind::git_failed && error.kind != ErrorKind::git_timeout) throw;
      (name == "origin" ? origin_failed : other_failed) = error;
    }
  }
  // A colleague's remote that is gone does not stop the others; origin, or nothing at all, does.
  if (origin_failed) throw *origin_failed;
  if (fetched.empty() && other_failed) throw *other_failed;
  if (fetched.empty()) return false;
  if (wanted) {
    const auto missing = [&] { return !ids_of(source, {wanted->str() + "^{object}"}).front(); };
    for (std::size_t i = 0; i < fetched.size() && missing(); ++i) {
      // Many servers refuse ids that no ref names: then it stays unknown, which the caller finds out.
      (void)source.run(fetch_command(fetched[i], {wanted->str()}, home));
    }
  }
  return true;
}

std::vector<std::string> remotes_that_prune_all(const Git& source) {
  std::vector<std::string> found;
  for (const auto& [name, remote] : remotes_of(source)) {
    bool fills = false;
    bool spares = false;
    for (const std::string& refspec : remote.fetch) {
      const std::size_t colon = refspec.find(':');
      const std::string into = colon == std::string::npos ? std::string() : refspec.substr(colon + 1);
      fills = fills || into == "refs/*" || into == "refs/wtpool/*";
      spares = spares || refspec == "^refs/wtpool/*";
    }
    if (fills && !spares) found.push_back(name);
  }
  return found;
}

std::string prune_warning(const std::string& common_dir, const std::string& remote) {
  return "a fetch of " + printable(remote) + " with --prune in " + printable(common_dir) +
         " deletes what the trash keeps and the branches of leases: it is a mirror, whose refspec fills all refs";
}

std::string prune_remedy(const std::string& common_dir, const std::string& remote) {
  return "git -C " + proto::shell_word(common_dir) + " config --add " + proto::shell_word("remote." + remote + ".fetch") +
         " '^refs/wtpool/*'";
}

std::optional<std::string> delete_remote_branch(const Git& source, const std::string& name) {
  Command command;
  command.arguments = {"-c",     "remote.origin.mirror=false", "push", "-q", "--no-verify", "--no-follow-tags", "--",
                       "origin", ":refs/heads/" + name};
  command.task = "delete branch '" + name + "' at 'origin'";
  command.directory = home_of(source);
  try {
    source.must(command);
  } catch (const Error& error) {
    if (error.kind == ErrorKind::cancelled) throw;
    return error.message;
  }
  return std::nullopt;
}

}  // namespace wtpool::git
