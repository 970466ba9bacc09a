// Where a submodule comes from: what git makes of a URL in .gitmodules, and what of the pool's mirror settings stands in for
// it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::git {

enum class Transport {
  network,  // https, http, ssh, git, and host:path
  local,    // a path, or file://
  refused,  // a helper (`ext::...`), a scheme that is none of these, an option (`-x`), a newline, also as %0a
};
[[nodiscard]] Transport transport_of(std::string_view url);

// It begins with `./` or `../`.
[[nodiscard]] bool is_relative_url(std::string_view url);
[[nodiscard]] bool has_newline(std::string_view url);

// git's own rule for relative ones; any other is returned as it is. `source`: URL or path of the repository whose .gitmodules
// it stands in. Nothing when it leads off that one's host, or to what transport_of refuses.
[[nodiscard]] std::optional<std::string> resolved_url(const std::string& source, const std::string& declared);

// <base>/<org>/<repo>.git, by the last two components of a resolved URL; nothing when it has no two.
[[nodiscard]] std::optional<std::string> bare_mirror_of(const std::string& base, std::string_view url);

// <base>/.git/modules/<name>, nested <base>/.git/modules/<parent>/modules/<child>. `names`: from the outermost one.
[[nodiscard]] std::string modules_mirror_of(const std::string& base, const std::vector<std::string>& names);

}  // namespace wtpool::git
