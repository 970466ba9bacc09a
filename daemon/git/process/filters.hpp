// Filter drivers: which of them may run is the pool's to say, whatever any configuration names.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::git {

// Environment pairs (GIT_CONFIG_COUNT and so on) that switch off every driver of `listing` which is not allowed. Drivers in the
// pool's list run as the user's and the source's own configuration say, never as the slot's config.worktree says.
// `listing`: `git config --show-scope -z --get-regexp` of filters and includes.
[[nodiscard]] std::vector<std::string> filter_overrides(const std::string& listing, const std::vector<std::string>& allowed);

// The drivers of `listing` that it switches off, sorted.
[[nodiscard]] std::vector<std::string> drivers_off(const std::string& listing, const std::vector<std::string>& allowed);

// A listing of configuration for a git directory, the source's or a slot's of it, asked with `ask` only when a configuration
// file has changed since it was last asked: the stats of all files that git reads there are compared. Never remembered for a
// slot that has a config.worktree, for configurations that include other files (a listing has to have these keys), nor for
// longer than a minute. `what` names the question. Any thread.
[[nodiscard]] std::string config_listing(const std::string& what, const std::string& git_dir, const std::string& common_dir,
                                         const std::function<std::string()>& ask);
// That of filters and includes.
[[nodiscard]] std::string filter_listing(const std::string& git_dir, const std::string& common_dir,
                                         const std::function<std::string()>& ask);

// Does git say that a driver failed, or could not be started? By its words on stderr, of commands that write or read a tree.
[[nodiscard]] bool says_filter_failed(std::string_view stderr_text);

}  // namespace wtpool::git
