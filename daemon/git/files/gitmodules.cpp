#include "daemon/git/files/gitmodules.hpp"

namespace wtpool::git {

std::vector<ConfigEntry> config_entries(std::string_view listing) {
  std::vector<ConfigEntry> entries;
  for (std::size_t end; (end = listing.find('\0')) != std::string_view::npos; listing.remove_prefix(end + 1)) {
    const std::string_view entry = listing.substr(0, end);
    const auto newline = entry.find('\n');
    entries.push_back({std::string(entry.substr(0, newline)), std::nullopt});
    if (newline != std::string_view::npos) entries.back().value = std::string(entry.substr(newline + 1));
  }
  return entries;
}

std::vector<std::string> misspelt_pool_keys(const std::vector<ConfigEntry>& entries) {
  std::vector<std::string> misspelt;
  for (const ConfigEntry& entry : entries) {
    const auto name = std::string_view(entry.key).substr(entry.key.rfind('.') + 1);  // without a dot: all of it
    if (name.starts_with("worktreepool") && name != "worktreepooltag") misspelt.push_back(entry.key);
  }
  return misspelt;
}

}  // namespace wtpool::git
