#include "daemon/git/files/operation.hpp"

#include <array>
#include <utility>

#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

// In this order: a rebase stops within a cherry-pick, and a merge may be part of one.
constexpr std::array<std::pair<const char*, const char*>, 6> kTraces = {{{"rebase-merge", "rebase"},
                                                                         {"rebase-apply", "rebase"},
                                                                         {"CHERRY_PICK_HEAD", "cherry-pick"},
                                                                         {"REVERT_HEAD", "revert"},
                                                                         {"MERGE_HEAD", "merge"},
                                                                         {"BISECT_LOG", "bisect"}}};

}  // namespace

std::optional<std::string> operation_in(const std::filesystem::path& entry) {
  for (const auto& [file, operation] : kTraces) {
    if (lstat_of(entry / file)) return operation;
  }
  // Between two of several: the list of what is still to be done says which.
  const auto todo = lstat_of(entry / "sequencer/todo") ? read_file(entry / "sequencer/todo") : std::nullopt;
  if (!todo) return std::nullopt;
  return todo->starts_with("revert") ? "revert" : "cherry-pick";
}

}  // namespace wtpool::git
