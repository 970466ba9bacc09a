#include "proto/errors.hpp"

#include <algorithm>
#include <array>

namespace wtpool::proto {
namespace {

using enum ErrorKind;

// In the order of the enumeration: `info` indexes it, and the static checks below prove the order.
constexpr std::array kTable{
    ErrorInfo{parse_error, "parse_error", -32700, 1, false, "the line is not JSON"},
    ErrorInfo{invalid_request, "invalid_request", -32600, 1, false, "the line is JSON but not a request of this protocol"},
    ErrorInfo{unknown_method, "unknown_method", -32601, 1, false, "no method has that name"},
    ErrorInfo{invalid_params, "invalid_params", -32602, 2, false, "a parameter is missing or of the wrong type"},
    ErrorInfo{internal, "internal", -32603, 1, false, "a fault of the daemon itself"},
    ErrorInfo{cancelled, "cancelled", -32800, 1, true, "the request was cancelled and rolled back"},
    ErrorInfo{contended, "contended", 3, 3, true, "slots are only being recycled or made, try again"},
    ErrorInfo{at_capacity, "at_capacity", 4, 4, true, "every slot of the group is held"},
    ErrorInfo{sha_held, "sha_held", 5, 5, true, "a held slot is at that commit"},
    ErrorInfo{name_held, "name_held", 6, 6, true, "NAME is already held in this pool"},
    ErrorInfo{unreachable, "unreachable", 7, 7, true, "the daemon cannot be reached"},
    ErrorInfo{timed_out, "timed_out", 8, 8, true, "the wait or the deadline ran out"},
    ErrorInfo{branch_exists, "branch_exists", 9, 9, false, "the branch already exists, or conflicts with one"},
    ErrorInfo{bad_name, "bad_name", 10, 10, false, "NAME is not a valid name"},
    ErrorInfo{dirty, "dirty", 11, 11, false, "the slot is dirty and the caller refused to drop that"},
    ErrorInfo{quarantined, "quarantined", 12, 12, false, "the slot is quarantined"},
    ErrorInfo{lease_lost, "lease_lost", 13, 13, false, "the lease is not the caller's any more"},
    ErrorInfo{conflict, "conflict", 14, 14, false, "the work does not go together with the target"},
    ErrorInfo{blocked, "blocked", 15, 15, true, "the target, or a checkout of it, is not in a state to land on"},
    ErrorInfo{hook_failed, "hook_failed", 16, 16, false, "a test or a hook failed, or one that must run may not"},
    ErrorInfo{git_failed, "git_failed", 20, 1, false, "git failed"},
    ErrorInfo{git_timeout, "git_timeout", 21, 1, true, "git did not end in time and was stopped"},
    ErrorInfo{source_missing, "source_missing", 22, 1, false, "the source is not there or is no git repository"},
    ErrorInfo{source_not_owned, "source_not_owned", 23, 1, false, "the source belongs to another user"},
    ErrorInfo{filter_not_allowed, "filter_not_allowed", 24, 1, false, "a filter driver is not in the pool's allow-list"},
    ErrorInfo{pool_unknown, "pool_unknown", 25, 1, false, "no pool has that key"},
    ErrorInfo{pool_exists, "pool_exists", 26, 1, false, "a pool with that key exists already"},
    ErrorInfo{pool_ambiguous, "pool_ambiguous", 27, 1, false, "the request does not say which of several pools it means"},
    ErrorInfo{pool_unavailable, "pool_unavailable", 28, 1, true, "the pool's root or lock cannot be had at present"},
    ErrorInfo{slot_unknown, "slot_unknown", 29, 1, false, "the pool has no such slot"},
    ErrorInfo{no_space, "no_space", 30, 1, true, "the disk or its quota is full"},
    ErrorInfo{read_only, "read_only", 31, 1, false, "the file system is read-only"},
    ErrorInfo{io_error, "io_error", 32, 1, false, "reading or writing the disk failed"},
    ErrorInfo{slot_held, "slot_held", 33, 1, true, "the slot is held and must be released first"},
    ErrorInfo{root_mismatch, "root_mismatch", 34, 1, false, "the client's pools root is not the daemon's"},
    ErrorInfo{bad_config, "bad_config", 35, 1, false, "a configuration file is wrong"},
    ErrorInfo{commit_unknown, "commit_unknown", 36, 1, false, "the source has no such commit"},
    ErrorInfo{not_held, "not_held", 37, 1, false, "nothing is held under that name"},
    ErrorInfo{permission_denied, "permission_denied", 40, 1, false, "the system does not permit it"},
    ErrorInfo{shutting_down, "shutting_down", 41, 1, true, "the daemon is stopping"},
    ErrorInfo{queue_full, "queue_full", 42, 1, true, "too many requests are waiting"},
    ErrorInfo{trash_unknown, "trash_unknown", 43, 1, false, "the trash has no such entry"},
    ErrorInfo{bad_gitmodules, "bad_gitmodules", 44, 1, false, ".gitmodules has a key that is misspelt or of no use"},
    ErrorInfo{not_in_store, "not_in_store", 17, 17, false, "the store has no such entry, and nothing says where to get it"},
    ErrorInfo{store_refused, "store_refused", 45, 1, false, "an archive, or a place for a graft, is refused"},
    ErrorInfo{store_differs, "store_differs", 46, 1, false, "the store has, or should have, something else under that KEY"},
    ErrorInfo{fetch_failed, "fetch_failed", 47, 1, true, "the remote could not be fetched from"},
    ErrorInfo{auth_failed, "auth_failed", 48, 1, false, "the remote refused the credentials, or there were none"},
};

constexpr bool ordered_as_enumerated() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].kind) != i) return false;
  }
  return true;
}

constexpr bool codes_and_names_are_unique() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    for (std::size_t j = i + 1; j < kTable.size(); ++j) {
      if (kTable[i].code == kTable[j].code || kTable[i].name == kTable[j].name) return false;
    }
  }
  return true;
}

static_assert(ordered_as_enumerated());
static_assert(codes_and_names_are_unique());
static_assert(kTable.size() == static_cast<std::size_t>(auth_failed) + 1, "every kind has a row");

}  // namespace

std::span<const ErrorInfo> error_table() { return kTable; }

const ErrorInfo& info(ErrorKind kind) { return kTable.at(static_cast<std::size_t>(kind)); }

std::optional<ErrorKind> kind_from_name(std::string_view name) {
  const auto* row = std::ranges::find(kTable, name, &ErrorInfo::name);
  if (row == kTable.end()) return std::nullopt;
  return row->kind;
}

}  // namespace wtpool::proto
