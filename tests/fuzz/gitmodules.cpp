// git reads .gitmodules; what is read here is git's listing of it.
#include "daemon/git/files/gitmodules.hpp"

#include <algorithm>

#include "tests/fuzz/targets.hpp"

namespace wtpool::fuzz {

void gitmodules(std::string_view input) {
  const auto entries = git::config_entries(input);
  std::string listing;
  for (const auto& entry : entries) {
    listing += entry.key;
    if (entry.value) listing += '\n' + *entry.value;
    listing += '\0';
  }
  const auto last = input.rfind('\0');
  const auto whole = input.substr(0, last == std::string_view::npos ? 0 : last + 1);
  holds(listing == whole, "every whole entry is read, byte for byte, and nothing else");

  const auto misspelt = git::misspelt_pool_keys(entries);
  auto at = entries.begin();
  for (const auto& key : misspelt) {
    at = std::find_if(at, entries.end(), [&](const auto& entry) { return entry.key == key; });
    holds(at != entries.end(), "a misspelt key is one of the file's, in its order: " + key);
    ++at;
    holds(key.find("worktreepool") != std::string::npos && !key.ends_with(".worktreepooltag"), "only misspelt keys are said");
  }
  const auto is_misspelt = [](const git::ConfigEntry& entry) { return entry.key == "submodule.x.worktreepooltags"; };
  holds(std::none_of(entries.begin(), entries.end(), is_misspelt) || !misspelt.empty(), "a misspelt key is found");
}

}  // namespace wtpool::fuzz
