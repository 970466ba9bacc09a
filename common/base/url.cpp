#include "common/base/url.hpp"

#include <algorithm>

namespace wtpool {
namespace {

constexpr std::string_view kScheme = "://";

bool in_scheme(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

bool is_scheme(std::string_view text) { return !text.empty() && std::ranges::all_of(text, in_scheme); }

// user[:password] of what follows `://`, up to the last @ before the path; npos: there is none.
std::size_t end_of_credentials(std::string_view rest) {
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \t\n'\""));
  return authority.rfind('@');
}

// user@host:path, where git's ssh would take it as such.
bool is_host_and_path(std::string_view word) {
  const std::size_t colon = word.find(':');
  return colon != std::string_view::npos && colon > 0 && word.find('/') > colon && word.substr(0, colon).find('@') != 0;
}

std::string without_user(std::string_view word) {
  const std::size_t quotes = std::min(word.find_first_not_of("'\"("), word.size());
  const std::string_view bare = word.substr(quotes);
  const std::size_t at = bare.find('@');
  if (at == std::string_view::npos || !is_host_and_path(bare) || at > bare.find(':')) return std::string(word);
  return std::string(word.substr(0, quotes)) + std::string(bare.substr(at + 1));
}

}  // namespace

bool is_url(std::string_view text) {
  const std::size_t scheme = text.find(kScheme);
  if (scheme != std::string_view::npos && is_scheme(text.substr(0, scheme))) return true;
  return is_host_and_path(text);
}

bool has_password(std::string_view url) {
  const std::size_t scheme = url.find(kScheme);
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = url.substr(scheme + kScheme.size());
  const std::size_t end = end_of_credentials(rest);
  return end != std::string_view::npos && rest.substr(0, end).find(':') != std::string_view::npos;
}

std::string without_credentials(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t scheme = word.find(kScheme);
    if (scheme == std::string_view::npos) {
      shown += without_user(word);
    } else {
      const std::string_view rest = word.substr(scheme + kScheme.size());
      const std::size_t credentials = end_of_credentials(rest);
      shown += word.substr(0, scheme + kScheme.size());
      shown += credentials == std::string_view::npos ? rest : rest.substr(credentials + 1);
    }
    const std::size_t next = std::min(text.find_first_not_of(" \t\n", end), text.size());
    shown += text.substr(end, next - end);
    text.remove_prefix(next);
  }
  return shown;
}

}  // namespace wtpool
