// The one error type and the one table of kinds: wire code, exit code, retryability.
// Codes 3 to 13 are the command line's exit codes and never change meaning; other domain errors start at 20.
#pragma once

#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::proto {

enum class ErrorKind {
  parse_error,
  invalid_request,
  unknown_method,
  invalid_params,
  internal,
  cancelled,
  contended,
  at_capacity,
  sha_held,
  name_held,
  unreachable,  // made by clients only
  timed_out,
  branch_exists,
  bad_name,
  dirty,
  quarantined,
  lease_lost,
  conflict,
  blocked,
  hook_failed,
  git_failed,
  git_timeout,
  source_missing,
  source_not_owned,
  filter_not_allowed,
  pool_unknown,
  pool_exists,
  pool_ambiguous,
  pool_unavailable,
  slot_unknown,
  no_space,
  read_only,
  io_error,
  slot_held,
  root_mismatch,
  bad_config,
  commit_unknown,
  not_held,
  permission_denied,
  shutting_down,
  queue_full,
  trash_unknown,
  bad_gitmodules,
  not_in_store,
  store_refused,
  store_differs,
  fetch_failed,
  auth_failed,
};

struct ErrorInfo {
  ErrorKind kind;
  std::string_view name;  // what clients match on: `data.kind`
  int code;               // JSON-RPC code
  int exit_code;          // of the command line
  bool retryable;
  std::string_view meaning;  // one clause, for docs and --help
};

[[nodiscard]] std::span<const ErrorInfo> error_table();
[[nodiscard]] const ErrorInfo& info(ErrorKind kind);
[[nodiscard]] std::optional<ErrorKind> kind_from_name(std::string_view name);

struct GitDetails {
  std::vector<std::string> argv;
  int exit_code = 0;        // 128+n when signal n ended git
  std::string stderr_tail;  // at most 4 KiB, made valid UTF-8 by the codec
  friend bool operator==(const GitDetails&, const GitDetails&) = default;
};

// What went wrong, for a person: `message` says what was attempted, on what and why it failed in one line; `hint` is the
// command that helps, or empty. Thrown by decoders and jobs, returned by the core.
struct Error : std::exception {
  Error() = default;
  Error(ErrorKind k, std::string m, std::string h = {}) : kind(k), message(std::move(m)), hint(std::move(h)) {}

  ErrorKind kind = ErrorKind::internal;
  std::string message;
  std::string hint;
  std::string pool;  // empty = not said, like the three below
  std::string slot;
  std::string name;
  std::string holder;
  std::optional<GitDetails> git;
  std::vector<std::string> details;  // further lines for a person, such as the table of holders; may be empty

  [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }
};

}  // namespace wtpool::proto
