// The mirror of a URL: a bare repository below <root>/.sources/ that wtpool keeps, one per URL and host, whoever uses it. No
// object of it is ever deleted (extensions.preciousObjects). Knows no pool: a root, a URL, and what is wanted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/state/wants.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// <root>/.sources
[[nodiscard]] std::filesystem::path mirrors_dir(const std::filesystem::path& root);

// <root>/.sources/<name>-<first 12 hex digits of git's hash of the URL>.git. Pure: nothing need be there.
[[nodiscard]] std::filesystem::path mirror_path(const std::filesystem::path& root, const std::string& url);

// The last component of a URL without `.git`, and `-` for each character but letters, digits, `.`, `_` and `-`.
[[nodiscard]] std::string name_of_url(std::string_view url);

// The URL of a mirror; nothing of a repository that is none.
[[nodiscard]] std::optional<std::string> mirrored_url(const std::filesystem::path& git_dir);

[[nodiscard]] bool is_mirror(const std::filesystem::path& git_dir);

struct MirrorOrder {
  std::string url;                       // as given: names the mirror
  std::string from = {};                 // where it is fetched from; empty: the URL itself
  std::optional<std::string> reference;  // a repository on this host whose objects need not be transferred
};

struct Mirror {
  std::string git_dir;
  bool made = false;  // false: it was there
};

// Takes the mirror that is there, or makes one: in `.new-<pid>-<n>` beside it, fetched, synced, and renamed. Where somebody
// else makes the same meanwhile, his is taken. How far it is goes to the context's on_progress. Throws fetch_failed,
// auth_failed, git_timeout; then nothing is left.
Mirror make_mirror(const std::filesystem::path& root, const MirrorOrder& order, const Context& context);

// What makers that were killed left in <root>/.sources; nobody who still makes one is disturbed.
void remove_unfinished_mirrors(const std::filesystem::path& root);

// A mirror as a place to run git in; `fetch` and `fetch_from` bring news into it.
[[nodiscard]] Git in_mirror(const std::string& git_dir, const Context& context);

}  // namespace wtpool::git
