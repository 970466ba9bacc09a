#include "daemon/jobs/slot/source_away.hpp"

#include <sys/stat.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

#include "common/base/names.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "proto/shell_word.hpp"

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

// What cannot be listed may hold anything.
bool holds_only(const disk::path& directory, const std::set<std::string>& names) {
  std::error_code failed;
  std::filesystem::directory_iterator at(directory, failed);
  if (failed) return failed == std::errc::no_such_file_or_directory;
  for (const std::filesystem::directory_iterator end; !failed && at != end; at.increment(failed)) {
    if (!names.contains(at->path().filename().string())) return false;
  }
  return !failed;
}

bool holds_nothing(const disk::PoolFiles& files) {
  return holds_only(files.root, {".meta"}) &&
         holds_only(files.meta(), {"config.yaml", "pool.lock", "init", "quarantine", "trash"}) &&
         holds_only(files.quarantine_dir(), {}) && holds_only(files.trash_dir(), {});
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

git::SourceFacts open_source_of(const PoolKey& key, const disk::PoolFiles& files, const std::string& source,
                                const git::Context& context) {
  try {
    return git::open_source(source, context);
  } catch (core::Error& error) {
    if (error.kind != core::ErrorKind::source_missing) throw;
    error.hint = "put the repository back: the pool goes on as it was";
    if (holds_nothing(files)) {
      error.hint += "; if it is gone for good, the pool holds nothing: rm -r " + proto::shell_word(files.root.string());
    } else {
      // The empty one proves no slot its own, so that none is held any more, and what is in them goes to the pool's trash.
      error.hint += ", its slots and their files lie untouched in " + printable(files.root.string()) +
                    "; if it is gone for good: git init " + proto::shell_word(source) + " && wtpool remove --pool " +
                    proto::shell_word(key.str()) + ", which keeps what is in them";
    }
    throw;
  }
}

}  // namespace wtpool::jobs
