// SHA-1 and SHA-256 of bytes: what git puts at the end of an index. Not for secrets.
#pragma once

#include <string>
#include <string_view>

namespace wtpool::git {

// The 20 or 32 bytes themselves, not their digits.
[[nodiscard]] std::string sha1(std::string_view bytes);
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace wtpool::git
