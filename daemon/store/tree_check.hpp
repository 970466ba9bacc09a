// Is a tree on the disk what a listing says? Walked by descriptors that follow no symlink.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/store/listing.hpp"

namespace wtpool::store {

enum class Compare { frozen, thawed };  // thawed: the owner may write, times are anything

// The first path below `tree` that is not as `listing` says, or that it does not have; nothing when all is. `top` is the path
// in the listing that `tree` is.
[[nodiscard]] std::optional<std::string> first_unlike(const std::filesystem::path& tree, const Listing& listing,
                                                      const std::string& top = "", Compare how = Compare::frozen);

}  // namespace wtpool::store
