#include "daemon/git/files/ignore_pattern.hpp"

namespace wtpool::git {
namespace {

// One character of a class such as [a-z] or [!0-9]; `at` is behind the class then. False too for a class that does not end.
bool in_class(std::string_view pattern, std::size_t& at, char wanted) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found = found || (pattern[i] <= wanted && wanted <= pattern[i + 2]);
      i += 3;
    } else {
      found = found || pattern[i] == wanted;
      ++i;
    }
  }
  if (i >= pattern.size()) return false;
  at = i + 1;
  return found != negated;
}

// `*` and `?` stop at a slash; `**/`, `/**/` and `/**` do not.
bool glob(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  while (at < pattern.size()) {
    if (pattern.substr(at).starts_with("**")) {
      std::string_view rest = pattern.substr(at + 2);
      if (rest.empty()) return true;
      if (rest.starts_with('/')) {
        rest.remove_prefix(1);
        for (std::size_t from = 0;; ++from) {
          if (glob(rest, text.substr(from))) return true;
          from = text.find('/', from);
          if (from == std::string_view::npos) return false;
        }
      }
    }
    if (pattern[at] == '*') {
      const std::string_view rest = pattern.substr(at + 1);
      for (std::size_t taken = 0;; ++taken) {
        if (glob(rest, text.substr(taken))) return true;
        if (taken >= text.size() || text[taken] == '/') return false;
      }
    }
    if (text.empty()) return false;
    if (pattern[at] == '[') {
      if (text[0] == '/' || !in_class(pattern, at, text[0])) return false;
    } else if (pattern[at] == '?') {
      if (text[0] == '/') return false;
      ++at;
    } else {
      if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
      if (pattern[at] != text[0]) return false;
      ++at;
    }
    text.remove_prefix(1);
  }
  return text.empty();
}

bool takes(std::string_view pattern, std::string_view path, bool is_directory) {
  if (pattern.ends_with('/')) {
    if (!is_directory) return false;
    pattern.remove_suffix(1);
  }
  const bool of_the_top = pattern.find('/') != std::string_view::npos;
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.empty()) return false;
  return glob(pattern, of_the_top ? path : path.substr(path.rfind('/') + 1));
}

}  // namespace

bool matches_any(const std::vector<std::string>& patterns, std::string_view path, bool is_directory) {
  for (auto pattern = patterns.rbegin(); pattern != patterns.rend(); ++pattern) {
    std::string_view text = *pattern;
    const bool takes_back = text.starts_with('!');
    if (takes_back) text.remove_prefix(1);
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
      const bool whole = end == std::string_view::npos;
      if (takes(text, path.substr(0, end), !whole || is_directory)) return !takes_back;
      if (whole) break;
    }
  }
  return false;
}

}  // namespace wtpool::git
