// Patterns as in a .gitignore, for lists in a pool's config. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wtpool::git {

// Does the last pattern of the list that speaks of `path`, or of a directory it is in, take it? A pattern with a slash before
// its end is of the top; one without is of every level; one that ends with a slash is of directories; `!` takes back. `path` is
// relative, without a trailing slash.
[[nodiscard]] bool matches_any(const std::vector<std::string>& patterns, std::string_view path, bool is_directory);

}  // namespace wtpool::git
