// What a pool's config and a repository's files say of hooks. Text alone: nothing here looks for a file, or runs one.
#pragma once

#include <string>
#include <vector>

#include "daemon/core/state/hook_line.hpp"
#include "daemon/disk/config_map.hpp"

namespace wtpool::disk {

inline constexpr const char* kHookFile = ".wtpool.yaml";
inline constexpr const char* kHookScript = ".wt-hooks.sh";

// `hooks:`, a map of events to a command or a list of them, in the order of the file. Throws proto::Error(bad_config).
[[nodiscard]] std::vector<core::HookLine> read_hooks(const ConfigMap& map);
// The same of the text of a .wtpool.yaml, which has no other key.
[[nodiscard]] std::vector<core::HookLine> parse_hook_file(const std::string& text);
// The events that a .wt-hooks.sh has a function for: wt_post_acquire wt_pre_go wt_pre_release wt_post_land.
[[nodiscard]] std::vector<core::HookLine> parse_hook_script(const std::string& text);

// The words of a command that may be paths of files below the directory it runs in, each once, in their order. The first is
// what the command begins with, whatever it is.
[[nodiscard]] std::vector<std::string> words_of(const std::string& command);

}  // namespace wtpool::disk
