// The id that git gives to bytes, without a git process: what names the mirror of a URL.
#pragma once

#include <string>
#include <string_view>

namespace wtpool::git {

// As `git hash-object --stdin` prints it in a repository of SHA-1: 40 hex digits. A name, and no protection against anybody.
[[nodiscard]] std::string blob_id(std::string_view content);

}  // namespace wtpool::git
