#include "daemon/jobs/tasks/fetch.hpp"

#include <filesystem>

#include "common/base/names.hpp"

#include "daemon/jobs/slot/entry_repair.hpp"

namespace wtpool::jobs {

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
  auto resolved = git::resolve(job.source_git(), spec.commit, spec.name);
  if (job.store != nullptr && !job.pool->config.deps.empty()) {
    const auto at = resolved.commit ? resolved.commit : resolved.branch_tip;
    if (at) resolved.deps = wanted_deps(job, *at);
  }
  if (!resolved.commit && spec.last_try) resolved.tracking_name = git::tracking_name_of(job.source_git(), spec.commit);
  return resolved;
}

core::JobDone fetch(JobContext& job, const core::job::Fetch& spec) {
  (void)restore_own_entries(*job.pool);
  core::done::Fetched fetched;
  fetched.nothing_to_fetch = !git::fetch(job.source_git(), spec.wanted);
  return fetched;
}

}  // namespace wtpool::jobs
