// URLs of repositories, as git takes them: what is one, and how it is shown without user and password.
#pragma once

#include <string>
#include <string_view>

namespace wtpool {

// `scheme://...` or `host:path`, by git's own rule: a colon before the first slash. `./a:b` and `/a:b` are paths.
[[nodiscard]] bool is_url(std::string_view text);

// `scheme://user:password@host/...`
[[nodiscard]] bool has_password(std::string_view url);

// For messages: every URL in `text` without user and password, so that neither a log nor an error shows one. Takes a single URL
// and whole sentences.
[[nodiscard]] std::string without_credentials(std::string_view text);

}  // namespace wtpool
