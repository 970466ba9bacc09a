#include "daemon/git/files/text.hpp"

namespace wtpool::git {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<Oid> oid_from(std::string_view text) {
  if (text.size() != 40 && text.size() != 64) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  if (text.find_first_not_of('0') == std::string_view::npos) return std::nullopt;
  return Oid(std::string(text));
}

std::optional<int> percent_in(std::string_view text) {
  const auto percent = text.rfind('%');
  if (percent == std::string_view::npos) return std::nullopt;
  auto begin = percent;
  while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
  if (begin == percent || percent - begin > 3) return std::nullopt;
  return std::stoi(std::string(text.substr(begin, percent - begin)));
}

}  // namespace wtpool::git
