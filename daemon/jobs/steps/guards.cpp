#include "daemon/jobs/steps/guards.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "common/files/files.hpp"
#include "daemon/git/files/ignore_pattern.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::jobs {
namespace {

struct BuiltIn {
  const char* directory;  // of every level
  std::vector<const char*> lockfiles;
};
const std::vector<BuiltIn>& built_in() {
  static const std::vector<BuiltIn> table = {
      {"node_modules", {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"}},
      {".venv", {"poetry.lock", "Pipfile.lock", "uv.lock", "pdm.lock", "requirements.txt"}},
      {"vendor/bundle", {"Gemfile.lock"}},
      {"Pods", {"Podfile.lock"}}};
  return table;
}

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// What a built-in or literal guard speaks of, at the top and one level below it, as far as it stands in the slot.
std::set<std::string> guarded_in(const JobContext& job) {
  std::vector<std::string> names;
  for (const auto& each : built_in()) names.emplace_back(each.directory);
  for (const auto& [pattern, files] : job.pool->config.guards) {
    std::string name = pattern.substr(0, pattern.find_last_not_of('/') + 1);
    if (name.find_first_of("*?[\\!") == std::string::npos)
      names.push_back(name.substr(std::min(name.find_first_not_of('/'), name.size())));
  }
  std::vector<std::string> places{""};
  for (const auto& child : children_of(job.slot_path()))
    if (is_directory_no_follow(child) && child.filename() != ".git") places.push_back(child.filename().string());
  std::set<std::string> found;
  for (const std::string& place : places)
    for (const std::string& name : names)
      if (!name.empty() && is_directory_no_follow(job.slot_path() / below(place, name))) found.insert(below(place, name));
  return found;
}

}  // namespace

std::vector<std::string> guards_of(const core::PoolConfig& config, const std::string& carried,
                                   const std::function<bool(const std::string&)>& is_tracked) {
  std::vector<std::string> guards;
  const auto parent_of = [](const std::string& path) {
    return path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  };
  for (const auto& [pattern, files] : config.guards) {
    if (!git::matches_any({pattern}, carried, true)) continue;
    for (const std::string& file : files)
      guards.push_back(is_tracked(below(parent_of(carried), file)) ? below(parent_of(carried), file) : file);
    return guards;
  }
  for (const auto& [directory, lockfiles] : built_in()) {
    const std::string name = directory;
    if (carried != name && !carried.ends_with("/" + name)) continue;
    std::string above = carried.substr(0, carried.size() - name.size());
    if (above.ends_with('/')) above.pop_back();
    for (bool first = true; guards.empty() && (first || !above.empty()); first = false) {
      if (!first) above = parent_of(above);
      for (const char* lockfile : lockfiles)
        if (is_tracked(below(above, lockfile))) guards.push_back(below(above, lockfile));
    }
  }
  return guards;
}

std::vector<std::string> stale_paths(const JobContext& job, const std::optional<std::string>& group, const Oid& from,
                                     const Oid& to) {
  if (from == to) return {};
  std::map<std::string, std::vector<std::string>> guards;
  if (const auto kept = job.pool->templates ? job.pool->templates->usable(group) : nullptr) {
    for (const auto& carried : kept->record.carried) {
      if (!carried.guards.empty() && lstat_of(job.slot_path() / carried.path))
        for (const auto& guard : carried.guards) guards[carried.path].push_back(guard.path);
    }
  }
  const git::Git source = job.source_git();
  const auto is_tracked = [&](const std::string& path) {
    const auto ids = git::ids_of(source, {from.str() + ":" + path, to.str() + ":" + path});
    return ids[0].has_value() || ids[1].has_value();
  };
  for (const std::string& path : guarded_in(job))
    if (!guards.contains(path)) guards[path] = guards_of(job.pool->config, path, is_tracked);
  std::vector<std::string> stale;
  for (const auto& [path, files] : guards) {
    std::vector<std::string> questions;
    for (const std::string& file : files) {
      questions.push_back(from.str() + ":" + file);
      questions.push_back(to.str() + ":" + file);
    }
    if (questions.empty()) continue;
    const auto ids = git::ids_of(source, questions);
    for (std::size_t i = 0; i < ids.size(); i += 2) {
      if (ids[i] == ids[i + 1]) continue;
      stale.push_back(path);
      break;
    }
  }
  return stale;
}

}  // namespace wtpool::jobs
