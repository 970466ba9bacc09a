// What `git config -z --file .gitmodules --list` says: git reads the file, these read git. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::git {

struct ConfigEntry {
  std::string key;                   // as git gives it: section and last part in lower case
  std::optional<std::string> value;  // absent: a key alone on its line, which git takes for true
  friend bool operator==(const ConfigEntry&, const ConfigEntry&) = default;
};

// Every entry that is whole; one without its NUL at the end lost something and is left out.
[[nodiscard]] std::vector<ConfigEntry> config_entries(std::string_view listing);

// Keys that look like wtpool's own (worktreePool...) and are none, as often and in the order that they stand.
[[nodiscard]] std::vector<std::string> misspelt_pool_keys(const std::vector<ConfigEntry>& entries);

}  // namespace wtpool::git
