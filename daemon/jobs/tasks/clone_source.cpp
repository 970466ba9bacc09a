#include "daemon/jobs/tasks/clone_source.hpp"

#include "common/base/url.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/mirror.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

// git's own words say how far it is.
void report(const JobContext& job, std::string_view text) {
  const auto percent = git::percent_in(text);
  if (!percent) return;
  const std::size_t before = text.find_last_of("\r\n", text.rfind('%'));
  const std::string_view line = text.substr(before == std::string_view::npos ? 0 : before + 1);
  job.progress(line.find("Resolving") == std::string_view::npos ? "fetching" : "resolving deltas", percent);
}

}  // namespace

std::function<void(std::string_view)> fetch_progress(const JobContext& job) {
  return [&job](std::string_view text) { report(job, text); };
}

std::string mirror_for_pool(const JobContext& job, const proto::PoolInitParams& params) {
  if (has_password(params.source)) {
    const std::string shown = without_credentials(params.source);
    throw core::Error(core::ErrorKind::invalid_params,
                      "cannot make the pool: " + shown +
                          " was given with a password, which would stand in a config; git's credential helpers keep one",
                      "wtpool init --source " + proto::shell_word(shown));
  }
  auto context = job.git_context(nullptr);
  context.on_progress = fetch_progress(job);
  job.progress("fetching");
  return git::make_mirror(real_path(disk::path(job.host.pools_root)), {params.source, {}, params.reference}, context).git_dir;
}

}  // namespace wtpool::jobs
