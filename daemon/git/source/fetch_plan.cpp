#include "daemon/git/source/fetch_plan.hpp"

#include <algorithm>

#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

constexpr std::string_view kRemotes = "refs/remotes/";
constexpr std::string_view kTags = "refs/tags/";

// The name at the beginning of an expression: of `main~2`, `v1^{commit}`, `main@{1}`.
std::string name_in(const std::string& commit) {
  const std::size_t end = std::min(commit.find_first_of("~^:"), commit.find("@{"));
  return commit.substr(0, end);
}

// git would not take it as the name of a ref, or would take more than was meant.
bool is_no_name(const std::string& name) {
  if (name.empty() || name.front() == '-' || name.front() == '/' || name.front() == '.' || name == "@" || name == "HEAD" ||
      name.ends_with("_HEAD") || name.ends_with('/') || name.ends_with('.') || name.ends_with(".lock"))
    return true;
  if (name.find("..") != std::string::npos || name.find("//") != std::string::npos || name.find("/.") != std::string::npos)
    return true;
  return std::ranges::any_of(name, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || std::string_view("*?[\\").find(c) != std::string_view::npos;
  });
}

// A pattern that matches nothing is no error to git, where a plain name would end the whole fetch.
std::string pattern(const std::string& from, const std::string& to) { return "+" + from + "*:" + to + "*"; }

// The remote whose branch NAME begins with, and the rest. The longest one, since a remote's name may hold a slash.
const RemoteRefs* remote_in(const std::string& name, const std::vector<RemoteRefs>& remotes, std::string& rest) {
  const RemoteRefs* best = nullptr;
  for (const RemoteRefs& remote : remotes) {
    if (!name.starts_with(remote.name + "/") || (best != nullptr && remote.name.size() <= best->name.size())) continue;
    best = &remote;
    rest = name.substr(remote.name.size() + 1);
  }
  return best;
}

void want_branch(FetchPlan& plan, const RemoteRefs& remote, const std::string& name) {
  plan.remotes[remote.name].refspecs.push_back(pattern("refs/heads/" + name, remote.branches + name));
}

void want_full_name(FetchPlan& plan, const std::string& name, const std::vector<RemoteRefs>& remotes, bool own_tags) {
  std::string rest;
  if (name.starts_with(kRemotes)) {
    const RemoteRefs* remote = remote_in(name.substr(kRemotes.size()), remotes, rest);
    if (remote == nullptr || is_no_name(rest)) {
      plan.all = true;
    } else {
      want_branch(plan, *remote, rest);
    }
    return;
  }
  if (name.starts_with(kFetched)) return want_full_name(plan, name.substr(kFetched.size()), remotes, own_tags);
  const bool kept_apart = !own_tags || !name.starts_with(kTags);
  plan.remotes[remotes.front().name].refspecs.push_back(pattern(name, kept_apart ? std::string(kFetched) + name : name));
}

void want(FetchPlan& plan, const std::string& commit, const std::vector<RemoteRefs>& remotes, bool own_tags) {
  const std::string name = name_in(commit);
  if (const auto id = oid_from(name)) {
    for (const RemoteRefs& remote : remotes) plan.remotes[remote.name].ids.insert(*id);
    return;
  }
  std::string rest;
  if (is_no_name(name)) {
    plan.all = true;
  } else if (name.starts_with("refs/")) {
    want_full_name(plan, name, remotes, own_tags);
  } else if (const RemoteRefs* remote = remote_in(name, remotes, rest); remote != nullptr) {
    want_branch(plan, *remote, rest);
  } else {
    want_branch(plan, remotes.front(), name);
    want_full_name(plan, std::string(kTags) + name, remotes, own_tags);
  }
}

}  // namespace

FetchPlan plan_fetch(const core::Wants& wants, const std::vector<RemoteRefs>& remotes, bool own_tags) {
  FetchPlan plan;
  plan.all = wants.all;
  if (remotes.empty()) return plan;
  for (const std::string& commit : wants.commits) want(plan, commit, remotes, own_tags);
  for (auto& [name, remote] : plan.remotes) {
    std::ranges::sort(remote.refspecs);
    remote.refspecs.erase(std::unique(remote.refspecs.begin(), remote.refspecs.end()), remote.refspecs.end());
  }
  return plan;
}

std::string refspec_of(const Oid& id) { return "+" + id.str() + ":" + std::string(kFetched) + id.str(); }

std::vector<std::string> readings_of(const std::string& commit) {
  std::vector<std::string> readings{commit};
  if (commit.starts_with("refs/")) {
    readings.push_back(std::string(kFetched) + commit);
    return readings;
  }
  readings.push_back(std::string(kRemotes) + "origin/" + commit);
  readings.push_back(std::string(kFetched) + std::string(kTags) + commit);
  return readings;
}

}  // namespace wtpool::git
