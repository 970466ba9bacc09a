// News from remotes: what is wanted and no more, into refs that are nobody's branches.
#pragma once

#include "daemon/core/state/wants.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Brings what is wanted into the source: branches into its remote-tracking refs, ids and full names into refs/wtpool/fetched/.
// An id that is there already costs nothing. Where that did not bring a commit that was asked for, all branches of all remotes
// are fetched once. Never FETCH_HEAD, maintenance or a slot's lock. False when there is no remote. Throws fetch_failed,
// auth_failed, git_timeout: of origin, or when no remote answered.
bool fetch(const Git& source, const core::Wants& wants);

// The same from one place, a URL or a path, as the mirror's origin: for who keeps a mirror of one URL and fetches from another.
void fetch_from(const Git& mirror, const std::string& from, const core::Wants& wants);

// All branches and tags, for a repository that has nothing yet. Says how far it is through the context's on_progress.
void fetch_everything(const Git& mirror, const std::string& from);

// When a fetch of ours was good last, UTC seconds: kept in the repository, so that a later daemon knows.
void remember_fetch(const std::string& git_dir, std::int64_t wall);
[[nodiscard]] std::optional<std::int64_t> last_fetch(const std::string& git_dir);

// Where git runs when it speaks to a remote: one at a relative path is relative to the top of the working tree.
[[nodiscard]] std::string home_of(const Git& source);

// For every git that speaks to a remote: a stalled HTTP transfer ends, and ssh asks nobody for a password.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> network_environment(const Git& git);

// Deletes a branch at the remote `origin`; the error's message when that failed.
[[nodiscard]] std::optional<std::string> delete_remote_branch(const Git& source, const std::string& name);

}  // namespace wtpool::git
