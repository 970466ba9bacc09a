#include "proto/shell_word.hpp"

#include <algorithm>

namespace wtpool::proto {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

}  // namespace

std::string shell_word(std::string_view text) {
  std::string word = text.starts_with('-') ? "./" : "";
  // zsh reads a '=' in front as the path of a program.
  const bool plain = !text.empty() && text.front() != '=' && std::all_of(text.begin(), text.end(), is_plain);
  if (plain) return word.append(text);
  word += '\'';
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

}  // namespace wtpool::proto
