#include "daemon/app/doctor/store_checks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "daemon/store/graft.hpp"

namespace wtpool::app {
namespace {

using Checks = std::vector<proto::DoctorCheck>;

void add(Checks& checks, const std::string& detail, std::optional<std::string> hint) {
  checks.push_back({"store", "warn", detail, std::move(hint)});
}

void check_roots(Checks& checks, const store::Store& store) {
  const auto roots = store.roots();
  for (const auto& file : roots.unreadable)
    add(checks, "the root " + printable(file.native()) + " cannot be read, and nothing is collected while it stands",
        "rm " + file.string());
  std::set<std::string> seen;
  for (const auto& [file, record] : roots.read) {
    for (const disk::Graft& graft : record.grafts) {
      const std::string at = printable(record.path);
      if (!store.record(graft.key)) {
        if (seen.insert(graft.key).second)
          add(checks, graft.key + ", grafted into " + at + ", is not in the store: its links dangle",
              "wtpool store add " + graft.key + " ARCHIVE");
      } else if (graft.placing) {
        add(checks, graft.key + " is placed in part in " + at, "wtpool store place " + graft.key + " --into " + at);
      }
    }
  }
}

void check_entries(Checks& checks, const store::Store& store, std::optional<std::uint64_t> most) {
  std::uint64_t bytes = 0;
  for (const std::string& key : store.keys()) {
    const auto record = store.record(key);
    if (!record) {
      add(checks, "the entry " + key + " has no record that can be read", "wtpool store verify " + key);
      continue;
    }
    bytes += record->bytes;
    if (!record->synced && record->boot_id != platform::boot_id())
      add(checks, "the entry " + key + " may be torn by a power cut; it is compared before its next use",
          "wtpool store verify " + key);
  }
  if (most && bytes > *most)
    add(checks, "the store has " + std::to_string(bytes) + " bytes, more than its store_max", "wtpool store gc --dry-run");
}

}  // namespace

Checks check_store(const std::filesystem::path& directory, const std::filesystem::path& pools,
                   std::optional<std::uint64_t> most) {
  Checks checks;
  if (!is_directory_no_follow(directory / "entries")) return checks;
  const store::Store store(directory, "");
  if (::geteuid() == 0)
    add(checks, "the daemon is root, and root can write into the store's entries: no permission stops it",
        "wtpool store verify");
  check_roots(checks, store);
  check_entries(checks, store, most);
  struct ::stat its {};
  struct ::stat theirs {};
  if (::stat(directory.c_str(), &its) == 0 && ::stat(pools.c_str(), &theirs) == 0 && its.st_dev != theirs.st_dev)
    add(checks, "the store is on another file system than the pools: reflink and thaw copy", std::nullopt);
  return checks;
}

}  // namespace wtpool::app
