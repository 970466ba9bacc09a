#include "daemon/git/source/fetch_failure.hpp"

#include <algorithm>
#include <array>

#include "common/base/url.hpp"
#include "daemon/git/files/text.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;

bool says_one_of(const Error& error, std::initializer_list<std::string_view> texts) {
  if (!error.git) return false;
  return std::ranges::any_of(texts,
                             [&](std::string_view text) { return error.git->stderr_tail.find(text) != std::string::npos; });
}

bool lacks_credentials(const Error& error) {
  return says_one_of(error, {"Authentication failed", "could not read Username", "could not read Password",
                             "terminal prompts disabled", "Permission denied (", "returned error: 401", "returned error: 403",
                             "Host key verification failed", "access denied or repository not exported"});
}

bool is_ours(const Error& error) {
  if (error.kind != ErrorKind::git_failed && error.kind != ErrorKind::git_timeout) return true;
  return says_one_of(error, {".lock': File exists", "Permission denied\n", "unable to write", "unable to create"});
}

// The line that says most: git's own reason often stands after what ssh or the server said.
std::string reason_of(const Error& error) {
  const std::string text = error.git ? error.git->stderr_tail : std::string{};
  std::string first;
  for (const std::string& line : split(text, '\n')) {
    for (const std::string_view mark : {"fatal: remote error: ", "ERROR: ", "remote: ", "fatal: ", "error: "}) {
      if (line.starts_with(mark) && first.empty()) first = line.substr(mark.size());
    }
    if (line.find("Permission denied (") != std::string::npos || line.find("Host key verification failed") != std::string::npos)
      return trimmed(line);
  }
  return first.empty() ? error.message : trimmed(first);
}

}  // namespace

Error fetch_failure(Error error, const std::string& remote, const std::string& git_dir) {
  const std::string shown = without_credentials(remote);
  if (error.git) {
    error.git->stderr_tail = without_credentials(error.git->stderr_tail);
    for (std::string& argument : error.git->argv) argument = without_credentials(argument);
  }
  if (is_ours(error)) {
    error.message = without_credentials(error.message);
    return error;
  }
  const std::string again = is_url(remote) || git_dir.empty() || remote.starts_with('/')
                                ? "git ls-remote " + proto::shell_word(shown)
                                : "git -C " + proto::shell_word(git_dir) + " ls-remote " + proto::shell_word(remote);
  if (error.kind == ErrorKind::git_timeout) {
    error.message = "cannot fetch from " + shown + ": it did not answer in time";
  } else {
    error.kind = lacks_credentials(error) ? ErrorKind::auth_failed : ErrorKind::fetch_failed;
    error.message = "cannot fetch from " + shown + ": " + without_credentials(reason_of(error));
  }
  error.hint = again;
  return error;
}

std::optional<Oid> refused_id(const Error& error) {
  if (!error.git) return std::nullopt;
  const std::string& text = error.git->stderr_tail;
  for (const std::string_view mark : {"not our ref ", "unadvertised object ", "no such remote ref ", "find remote ref "}) {
    const std::size_t at = text.find(mark);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + mark.size();
    const std::size_t end = text.find_first_not_of("0123456789abcdef", begin);
    if (const auto id = oid_from(text.substr(begin, end == std::string::npos ? end : end - begin))) return id;
  }
  return std::nullopt;
}

bool is_other_hash(const Error& error) { return says_one_of(error, {"mismatched algorithms"}); }

}  // namespace wtpool::git
