#include "daemon/git/source/fetch.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/base/url.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/fetch_failure.hpp"
#include "daemon/git/source/fetch_plan.hpp"
#include "daemon/git/source/pruning.hpp"
#include "daemon/git/source/refs.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kFetchedAt = "wtpool/fetched-at";
constexpr int kRefusals = 64;  // ids that a remote refuses one after the other, before only branches are asked for

struct Remote {
  std::string url;
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
    if (variable == "url" && remote.url.empty()) remote.url = value;
    if (variable == "fetch") remote.fetch.push_back(value);
    if (variable == "mirror") remote.mirror = yes;
    if (variable.starts_with("skip")) remote.skipped = remote.skipped || yes;
  }
  // Only pushed to, or left out by the user.
  std::erase_if(remotes, [](const auto& entry) {
    const Remote& remote = entry.second;
    return remote.url.empty() || remote.skipped || (remote.mirror && remote.fetch.empty());
  });
  return remotes;
}

std::string usual_refspec(const std::string& name) { return "+refs/heads/*:refs/remotes/" + name + "/*"; }

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
  if (!positive) refspecs.push_back(usual_refspec(name));
  return refspecs;
}

// Below which its branches stand, by its own refspec for all of them.
std::string branches_of(const std::string& name, const Remote& remote) {
  for (const std::string& refspec : refspecs_of(name, remote)) {
    const std::string_view text = std::string_view(refspec).substr(refspec.starts_with('+') ? 1 : 0);
    constexpr std::string_view kAll = "refs/heads/*:";
    if (text.starts_with(kAll) && text.ends_with("/*"))
      return std::string(text.substr(kAll.size(), text.size() - kAll.size() - 1));
  }
  return "refs/remotes/" + name + "/";
}

bool is_kept_mirror(const Git& source) {
  return lstat_of(std::filesystem::path(source.place().git_dir) / "wtpool/url").has_value();
}

// One remote, or URL, and how its git is run.
class Line {
 public:
  Line(const Git& source, std::string remote, std::string url)
      : source_(source), remote_(std::move(remote)), url_(std::move(url)), home_(home_of(source)) {}

  void run(const std::vector<std::string>& refspecs, const std::vector<std::string>& options = {}) const {
    Command command;
    command.task = "fetch from " + without_credentials(url_);
    command.directory = home_;
    command.limit = std::chrono::hours(24);  // the context's deadline ends it
    command.arguments = {"fetch",
                         source_.context().on_progress ? "--progress" : "-q",
                         "--no-write-fetch-head",
                         "--no-prune-tags",
                         "--no-auto-maintenance",
                         "--no-recurse-submodules",
                         "--refmap="};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    command.arguments.insert(command.arguments.end(), {"--", remote_});
    command.arguments.insert(command.arguments.end(), refspecs.begin(), refspecs.end());
    command.environment = network_environment(source_);
    try {
      source_.must(command);
    } catch (const Error& error) {
      throw fetch_failure(error, url_, source_.place().git_dir);
    }
  }

  // Without the ids that it refuses; a name that nothing is found under is no error.
  void run_plan(FetchPlan::OfRemote plan) const {
    for (int refusals = 0; !plan.ids.empty() || !plan.refspecs.empty(); ++refusals) {
      std::vector<std::string> refspecs = plan.refspecs;
      for (const Oid& id : plan.ids) refspecs.push_back(refspec_of(id));
      try {
        return run(refspecs, {"--no-tags"});
      } catch (const Error& error) {
        const auto refused = refused_id(error);
        if (!refused) throw;
        if (plan.ids.erase(*refused) == 0 || refusals >= kRefusals) plan.ids.clear();
      }
    }
  }

 private:
  const Git& source_;
  std::string remote_;  // as git is given it
  std::string url_;     // as it is shown
  std::string home_;
};

// Whether each of the commits has an answer now.
bool has_all(const Git& source, const std::set<std::string>& commits) {
  for (const std::string& commit : commits) {
    std::vector<std::string> questions;
    for (const std::string& reading : readings_of(commit)) questions.push_back(reading + "^{object}");
    const auto ids = ids_of(source, questions);
    if (std::ranges::none_of(ids, [](const auto& id) { return id.has_value(); })) return false;
  }
  return true;
}

core::Wants without_known_ids(const Git& source, const core::Wants& wants) {
  core::Wants open;
  open.all = wants.all;
  for (const std::string& commit : wants.commits) {
    if (oid_from(commit) && ids_of(source, {commit + "^{object}"}).front()) continue;
    open.commits.insert(commit);
  }
  return open;
}

std::vector<RemoteRefs> in_order(const std::map<std::string, Remote>& remotes) {
  std::vector<RemoteRefs> refs;
  for (const auto& [name, remote] : remotes) refs.push_back({name, branches_of(name, remote)});
  std::stable_partition(refs.begin(), refs.end(), [](const RemoteRefs& remote) { return remote.name == "origin"; });
  return refs;
}

// A colleague's remote that is gone does not stop the others; origin, or nothing at all, does.
template <typename Each>
void each_remote(const std::map<std::string, Remote>& remotes, const Each& each) {
  std::optional<Error> origin_failed;
  std::optional<Error> other_failed;
  bool any = false;
  for (const auto& [name, remote] : remotes) {
    try {
      any = each(name, remote) || any;
    } catch (const Error& error) {
      if (error.kind == ErrorKind::cancelled) throw;
      (name == "origin" ? origin_failed : other_failed) = error;
    }
  }
  if (origin_failed) throw *origin_failed;
  if (!any && other_failed) throw *other_failed;
}

std::vector<std::string> options_for_all(bool kept_mirror) {
  // In a user's own clone a branch that is gone at the remote may be the last thing that names somebody's commits.
  return kept_mirror ? std::vector<std::string>{"--prune"} : std::vector<std::string>{"--no-tags"};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> network_environment(const Git& git) {
  std::vector<std::pair<std::string, std::string>> pairs = {{"GIT_CONFIG_COUNT", "2"},
                                                            {"GIT_CONFIG_KEY_0", "http.lowSpeedLimit"},
                                                            {"GIT_CONFIG_VALUE_0", "1000"},
                                                            {"GIT_CONFIG_KEY_1", "http.lowSpeedTime"},
                                                            {"GIT_CONFIG_VALUE_1", "60"}};
  Command ask;
  ask.arguments = {"config", "--get", "core.sshCommand"};
  if (!git.run(ask).ok()) pairs.emplace_back("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
  return pairs;
}

void remember_fetch(const std::string& git_dir, std::int64_t wall) {
  try {
    make_directories(std::filesystem::path(git_dir) / "wtpool");
    write_atomically(std::filesystem::path(git_dir) / kFetchedAt, std::to_string(wall) + "\n", 0644);
  } catch (const Error& error) {
    log_warn("when " + git_dir + " was fetched is not kept: " + error.message);
  }
}

std::optional<std::int64_t> last_fetch(const std::string& git_dir) {
  const auto text = read_file(std::filesystem::path(git_dir) / kFetchedAt);
  if (!text) return std::nullopt;
  std::int64_t wall = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), wall);
  return read.ec == std::errc{} ? std::optional(wall) : std::nullopt;
}

bool fetch(const Git& source, const core::Wants& wanted) {
  const auto remotes = remotes_of(source);
  if (remotes.empty()) return false;
  const core::Wants wants = without_known_ids(source, wanted);
  if (wants.empty()) return true;
  const bool kept_mirror = is_kept_mirror(source);
  const FetchPlan plan = plan_fetch(wants, in_order(remotes), kept_mirror);
  if (!plan.all) {
    each_remote(remotes, [&](const std::string& name, const Remote& remote) {
      const auto found = plan.remotes.find(name);
      if (found == plan.remotes.end()) return false;
      Line(source, name, remote.url).run_plan(found->second);
      return true;
    });
    if (has_all(source, wants.commits)) return true;
  }
  each_remote(remotes, [&](const std::string& name, const Remote& remote) {
    Line(source, name, remote.url).run(refspecs_of(name, remote), options_for_all(kept_mirror));
    return true;
  });
  if (plan.all && !has_all(source, wants.commits)) {
    each_remote(remotes, [&](const std::string& name, const Remote& remote) {
      const auto found = plan.remotes.find(name);
      if (found == plan.remotes.end()) return false;
      Line(source, name, remote.url).run_plan(found->second);
      return true;
    });
  }
  return true;
}

void fetch_from(const Git& mirror, const std::string& from, const core::Wants& wanted) {
  const core::Wants wants = without_known_ids(mirror, wanted);
  if (wants.empty()) return;
  const Line line(mirror, from, from);
  FetchPlan plan = plan_fetch(wants, {{"origin", "refs/remotes/origin/"}}, true);
  if (!plan.all) {
    line.run_plan(plan.remotes["origin"]);
    if (has_all(mirror, wants.commits)) return;
  }
  line.run({usual_refspec("origin")});
  if (plan.all && !has_all(mirror, wants.commits)) line.run_plan(plan.remotes["origin"]);
}

void fetch_everything(const Git& mirror, const std::string& from) {
  Line(mirror, from, from).run({usual_refspec("origin"), "+refs/tags/*:refs/tags/*"}, {"--no-tags"});
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

std::string home_of(const Git& source) {
  const std::filesystem::path common_dir(source.place().git_dir);
  if (common_dir.filename() != ".git") return {};
  Command ask;
  ask.arguments = {"config", "--type=bool", "--get", "core.bare"};
  return trimmed(source.run(ask).output) == "true" ? std::string{} : common_dir.parent_path().string();
}

std::optional<std::string> delete_remote_branch(const Git& source, const std::string& name) {
  Command command;
  command.arguments = {"-c",     "remote.origin.mirror=false",    "push", "-q", "--no-verify", "--no-follow-tags", "--",
                       "origin", ":" + std::string(kHeads) + name};
  command.task = "delete branch '" + name + "' at 'origin'";
  command.directory = home_of(source);
  try {
    source.must(command);
  } catch (const Error& error) {
    if (error.kind == ErrorKind::cancelled) throw;
    return without_credentials(error.message);
  }
  return std::nullopt;
}

}  // namespace wtpool::git
