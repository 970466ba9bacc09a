#include "daemon/jobs/slot/mounts.hpp"

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/mounts.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {

void refuse_mounts(const JobContext& job, core::Fault fault) {
  const auto mounts = platform::mounts_below(real_path(job.slot_path()));
  if (mounts.empty()) return;
  core::Error error(core::ErrorKind::contended,
                    "a file system is mounted in " + job.grant.slot.str() + ", at " + printable(mounts.front().string()) +
                        ": the slot is left alone until that is gone",
                    "umount " + proto::shell_word(mounts.front().string()));
  error.slot = job.grant.slot.str();
  for (std::size_t i = 1; i < mounts.size() && i < 10; ++i)
    error.details.push_back("  and at " + printable(mounts[i].string()));
  throw FaultError{fault, error};
}

}  // namespace wtpool::jobs
