#include "daemon/jobs/source_away.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace wtpool::jobs {
namespace {

// By the three that make a directory a repository for git. Anything but a good answer is none.
std::optional<std::string> why_no_repository(const disk::path& common) {
  struct ::stat stat {};
  if (::stat(common.c_str(), &stat) != 0) {
    return errno == ENOENT ? std::string("there is no such directory") : std::string(std::strerror(errno));
  }
  for (const char* part : {"objects", "refs"}) {
    if (::stat((common / part).c_str(), &stat) != 0 || !S_ISDIR(stat.st_mode)) return "it is no git repository any more";
  }
  if (::lstat((common / "HEAD").c_str(), &stat) != 0) return "it is no git repository any more";
  return std::nullopt;
}

}  // namespace

std::optional<core::Error> source_away(const ServedPool& pool) {
  const auto why = why_no_repository(pool.place.source.str());
  if (!why) return std::nullopt;
  core::Error error(core::ErrorKind::source_missing,
                    "the source of pool " + pool.key.str() + " is away: " + pool.place.source.str() + ": " + *why,
                    "put the repository back; the pool goes on as it was");
  error.pool = pool.key.str();
  return error;
}

void require_source(const ServedPool& pool) {
  if (auto error = source_away(pool)) throw FaultError{core::Fault::host_fault, std::move(*error)};
}

}  // namespace wtpool::jobs
