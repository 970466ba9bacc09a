#include "daemon/jobs/tasks/acquire/free_space.hpp"

#include <sys/statvfs.h>

#include "common/files/files.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::uint64_t kReserveFiles = 256;

// Files that may still be made there; nothing where there is no such limit.
std::optional<std::uint64_t> free_files(const disk::path& where) {
  struct ::statvfs status {};
  if (::statvfs(where.c_str(), &status) != 0 || status.f_files == 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.f_favail);
}

}  // namespace

void check_reserve(const JobContext& job, const std::string& name) {
  for (const auto& where : {job.pool->files.root, disk::path(job.pool->place.source.str())}) {
    const auto refuse = [&](const std::string& what, const std::string& command) {
      fail(core::Fault::host_fault, core::ErrorKind::no_space,
           "cannot acquire " + name + ": " + where.string() + " has " + what,
           command + " " + proto::shell_word(where.string()));
    };
    if (const auto bytes = free_bytes(where); bytes && *bytes < job.host.reserve_bytes) {
      refuse(std::to_string(*bytes >> 20) + " MiB free, less than the reserve of " +
                 std::to_string(job.host.reserve_bytes >> 20) + " MiB",
             "df -h");
    }
    if (const auto files = free_files(where); files && *files < kReserveFiles)
      refuse("room for " + std::to_string(*files) + " more files only", "df -i");
  }
}

}  // namespace wtpool::jobs
