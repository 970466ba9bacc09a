// The names of the store: KEYs, and the names that members of an archive bear. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::store {

inline constexpr std::size_t kMaxDepth = 200;  // components of a member's name

// Why `key` is no KEY, as a clause ("has 201 bytes; at most 200"); nothing when it is one: 1 to 200 of A-Z a-z 0-9 . _ + - @ =,
// not starting with '.'.
[[nodiscard]] std::optional<std::string> bad_key(std::string_view key);

// Is this component `.git` to some file system: by case, by trailing dots and spaces, by what HFS+ ignores, by NTFS's short
// names and streams?
[[nodiscard]] bool is_git_directory_name(std::string_view component);

// A member's name as its components, without "." and empty ones; no component for the root of the tree itself. The clause says
// why it is refused: absolute, `..`, `.git`, NUL, too long, too deep.
struct MemberName {
  std::vector<std::string> components;
  std::optional<std::string> refused;

  [[nodiscard]] std::string text() const;
};
[[nodiscard]] MemberName member_name(std::string_view name);

[[nodiscard]] std::string parent_of(std::string_view path);  // "a/b" of "a/b/c", "" of "a"
[[nodiscard]] std::string base_of(std::string_view path);
[[nodiscard]] std::string joined(std::string_view directory, std::string_view name);  // without a '/' where one is empty
// Is `path` the directory `top` or below it? "" is above all.
[[nodiscard]] bool is_at_or_below(std::string_view path, std::string_view top);

// By components, so that what is in a directory follows it at once.
[[nodiscard]] bool path_less(std::string_view a, std::string_view b);

// The KEY that an archive's file name gives: the name without an archive's suffix; nothing when it has none or that is no KEY.
[[nodiscard]] std::optional<std::string> key_of_archive_name(std::string_view name);

}  // namespace wtpool::store
