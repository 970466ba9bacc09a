// Why a remote brought nothing, told from what git printed: each reason with the command that helps.
#pragma once

#include <optional>
#include <string>

#include "proto/errors.hpp"
#include "proto/ids.hpp"

namespace wtpool::git {

// Error of a git that spoke to `remote` (a URL, or the name of a remote in the repository `git_dir`), with kind fetch_failed,
// auth_failed or git_timeout; no URL in it has a user or a password any more. What is not the remote's fault (a full disk, a
// lock, a cancelled job) keeps its kind.
[[nodiscard]] proto::Error fetch_failure(proto::Error error, const std::string& remote, const std::string& git_dir);

// The id that the remote refused, when that is why it failed.
[[nodiscard]] std::optional<Oid> refused_id(const proto::Error& error);

// The remote's objects have ids of the other length than ours.
[[nodiscard]] bool is_other_hash(const proto::Error& error);

}  // namespace wtpool::git
