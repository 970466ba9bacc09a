#include "daemon/jobs/tasks/fetch.hpp"

#include <algorithm>
#include <filesystem>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/fetch_plan.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/tasks/clone_source.hpp"

namespace wtpool::jobs {
namespace {

void look_among_fetched(const git::Git& source, const std::string& commit, core::done::Resolved& resolved) {
  for (const std::string& reading : git::readings_of(commit)) {
    const auto ids = git::ids_of(source, {reading + "^{commit}", reading + "^{tree}"});
    if (!ids[0] || !ids[1]) continue;
    resolved.commit = ids[0];
    resolved.tree = *ids[1];
    return;
  }
}

bool is_one_line(const std::string& commit) {
  return !commit.empty() && commit.find_first_of(std::string_view("\n\0", 2)) == std::string::npos;
}

}  // namespace

namespace {

std::vector<core::WantedDep> wanted_deps(const JobContext& job, const Oid& commit) {
  job.store->open();
  std::vector<core::WantedDep> wanted;
  std::vector<core::Dep> deps = job.pool->dep_keys->at(job.source_git(), job.pool->config.deps, commit);
  for (core::Dep& dep : deps) {
    if (const auto why = bad_key_text(dep.key))
      throw core::Error(core::ErrorKind::bad_config,
                        "the KEY of the dep '" + dep.name + "' " + *why + ": " + printable(dep.key));
    const bool present = job.store->usable(dep.key).has_value();
    std::error_code failed;
    if (!present && !std::filesystem::exists(dep.archive, failed)) dep.archive.clear();
    wanted.push_back({std::move(dep), present});
  }
  return wanted;
}

}  // namespace

core::JobDone resolve(JobContext& job, const core::job::Resolve& spec) {
  const git::Git source = job.source_git();
  auto resolved = git::resolve(source, spec.commit, spec.name);
  // What names nothing is looked for among what was fetched: in a mirror always, since it has no branches of its own; in a
  // user's clone when no fetch is to follow.
  const bool fetched_counts = spec.last_try || job.pool->place.url;
  if (!resolved.commit && fetched_counts && is_one_line(spec.commit)) look_among_fetched(source, spec.commit, resolved);
  if (job.store != nullptr && !job.pool->config.deps.empty()) {
    const auto at = resolved.commit ? resolved.commit : resolved.branch_tip;
    if (at) resolved.deps = wanted_deps(job, *at);
  }
  if (!resolved.commit && spec.last_try) resolved.tracking_name = git::tracking_name_of(source, spec.commit);
  return resolved;
}

core::JobDone fetch(JobContext& job, const core::job::Fetch& spec) {
  (void)restore_own_entries(*job.pool);
  job.deadline = std::min(job.deadline, std::chrono::steady_clock::now() + job.pool->config.fetch_timeout);
  core::done::Fetched fetched;
  auto context = job.git_context(nullptr);
  context.on_progress = fetch_progress(job);
  fetched.nothing_to_fetch = !git::fetch(git::Git({job.pool->place.source.str(), {}}, context), spec.wants);
  if (!fetched.nothing_to_fetch) git::remember_fetch(job.pool->place.source.str(), wall_now());
  return fetched;
}

}  // namespace wtpool::jobs
