// A command of a hook, as a pool's config or a repository's file says it. The daemon reads hooks and runs none.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace wtpool::core {

struct HookLine {
  std::string event;
  std::string command;
};
inline constexpr std::array<std::string_view, 5> kHookEvents{"post_acquire", "pre_go", "pre_release", "pre_land", "post_land"};

}  // namespace wtpool::core
