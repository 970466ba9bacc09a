#include "daemon/git/source/target.hpp"

#include <filesystem>
#include <map>

#include "common/files/files.hpp"

#include "daemon/git/files/refs_on_disk.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/filters.hpp"
#include "daemon/git/source/integration.hpp"

namespace wtpool::git {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kRemotes = "refs/remotes/";

using Settings = std::multimap<std::string, std::string>;

Settings branch_settings(const Git& source) {
  const auto ask = [&source] {
    Command list;
    list.arguments = {"config", "-z", "--get-regexp", "^(branch|remote|include|includeif)\\."};
    return source.run(list).output;  // exit code 1: there is none
  };
  const auto& common = source.place().git_dir;
  Settings settings;
  for (const auto& field : split(config_listing("branches", common, common, ask), '\0')) {
    const auto newline = field.find('\n');
    if (newline != std::string::npos) settings.emplace(field.substr(0, newline), field.substr(newline + 1));
  }
  return settings;
}

// The last value counts, as for git.
std::optional<std::string> last_of(const Settings& settings, const std::string& key) {
  const auto [begin, end] = settings.equal_range(key);
  return begin == end ? std::nullopt : std::optional(std::prev(end)->second);
}

// Where a fetch with this refspec puts `ref`: "+refs/heads/*:refs/remotes/origin/*".
std::optional<std::string> mapped(std::string_view refspec, const std::string& ref) {
  if (refspec.starts_with('+')) refspec.remove_prefix(1);
  const auto colon = refspec.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string from(refspec.substr(0, colon)), to(refspec.substr(colon + 1));
  const auto star = from.find('*');
  const auto to_star = to.find('*');
  if (star == std::string::npos) return from == ref && !to.empty() ? std::optional(to) : std::nullopt;
  const std::string before = from.substr(0, star), after = from.substr(star + 1);
  if (to_star == std::string::npos || ref.size() < before.size() + after.size() || !ref.starts_with(before) ||
      !ref.ends_with(after)) {
    return std::nullopt;
  }
  const auto middle = ref.substr(before.size(), ref.size() - before.size() - after.size());
  return to.substr(0, to_star) + middle + to.substr(to_star + 1);
}

std::string upstream_in(const Settings& settings, const std::string& branch) {
  const auto remote = last_of(settings, "branch." + branch + ".remote");
  const auto merge = last_of(settings, "branch." + branch + ".merge");
  if (!remote || !merge) return {};
  if (*remote == ".") return *merge;
  const auto [begin, end] = settings.equal_range("remote." + *remote + ".fetch");
  for (auto at = begin; at != end; ++at) {
    if (const auto ref = mapped(at->second, *merge)) return *ref;
  }
  return {};
}

// The short branch behind refs/remotes/<remote>/<branch>; a remote's name may have slashes, so the longest that is one counts.
std::optional<std::string> branch_of_tracking(const Settings& settings, const std::string& ref) {
  const std::string rest = ref.substr(kRemotes.size());
  std::string remote;
  for (auto slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/', slash + 1)) {
    const auto name = rest.substr(0, slash);
    if (remote.empty() || settings.contains("remote." + name + ".url")) remote = name;
  }
  if (remote.empty() || rest.size() == remote.size() + 1) return std::nullopt;
  return rest.substr(remote.size() + 1);
}

Target named(const Settings& settings, const std::string& branch) {
  return {branch, std::string(kHeads) + branch, upstream_in(settings, branch)};
}

// What a short name in default_commit means, by git's own order.
std::optional<std::string> full_name(const Git& source, const std::string& name) {
  if (name.starts_with("refs/")) return name;
  auto refs = RefFiles::open(source.place().git_dir);
  if (!refs) return std::nullopt;
  for (const std::string& candidate : {"refs/tags/" + name, std::string(kHeads) + name, std::string(kRemotes) + name,
                                       std::string(kRemotes) + "origin/" + name}) {
    if (name.find("..") == std::string::npos && refs->exists(candidate)) return candidate;
  }
  return std::nullopt;
}

// refs/remotes/origin/HEAD stands for the branch that the remote calls its own.
std::string behind_symbolic(const Git& source, const std::string& ref) {
  constexpr std::string_view kSymbolic = "ref: ";
  if (!ref.ends_with("/HEAD")) return ref;
  const auto text = read_file(std::filesystem::path(source.place().git_dir) / ref);
  return text && text->starts_with(kSymbolic) ? trimmed(text->substr(kSymbolic.size())) : ref;
}

}  // namespace

std::vector<std::string> Target::refs() const {
  std::vector<std::string> all = {local};
  if (!upstream.empty()) all.push_back(upstream);
  return all;
}

Target target_named(const Git& source, const std::string& branch) {
  const std::string name = branch.starts_with(kHeads) ? branch.substr(kHeads.size()) : branch;
  auto target = named(branch_settings(source), name);
  if (target.upstream.empty()) {
    // A mirror has no branch of its own, and so nothing that names an upstream.
    const std::string tracking = std::string(kRemotes) + "origin/" + name;
    const auto refs = RefSnapshot::take(source.place().git_dir, {{target.local, tracking}, {}});
    if (!refs.value(target.local) && refs.value(tracking)) target.upstream = tracking;
  }
  return target;
}

std::optional<Target> target_of(const Git& source, const std::string& default_commit) {
  if (default_commit == "HEAD") {
    const auto head = RefSnapshot::take(source.place().git_dir, {{}, {""}}).head("");
    return head.branch ? std::optional(target_named(source, *head.branch)) : std::nullopt;
  }
  auto ref = full_name(source, default_commit);
  if (!ref) return std::nullopt;
  ref = behind_symbolic(source, *ref);
  if (ref->starts_with(kHeads)) return target_named(source, *ref);
  if (!ref->starts_with(kRemotes)) return std::nullopt;
  const auto branch = branch_of_tracking(branch_settings(source), *ref);
  if (!branch) return std::nullopt;
  return Target{*branch, std::string(kHeads) + *branch, *ref};
}

std::vector<Compared> compared_refs(const Git& source, const Target& target, const RefSnapshot& refs) {
  const auto local = refs.value(target.local);
  const auto upstream = target.upstream.empty() ? std::nullopt : refs.value(target.upstream);
  if (!local && !upstream) return {};
  if (!upstream) return {{target.local, *local}};
  if (!local) return {{target.upstream, *upstream}};
  const auto apart = counts(source, *local, *upstream);
  if (!apart) return {{target.local, *local}};
  if (apart->behind == 0) return {{target.local, *local}};
  if (apart->ahead == 0) return {{target.upstream, *upstream}};
  return {{target.local, *local}, {target.upstream, *upstream}};
}

}  // namespace wtpool::git
