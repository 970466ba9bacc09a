// What an entry consists of, as its extraction wrote it: one node a path, in the order of path_less. It stands beside the entry
// and answers what would otherwise need the archive again. Values; the text can hold any name, and a cut one is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::store {

enum class NodeKind { file, directory, symlink };

struct Node {
  NodeKind kind = NodeKind::file;
  unsigned mode = 0;          // permission bits; of a symlink 0777
  std::uint64_t size = 0;     // of a file
  std::int64_t mtime_ns = 0;  // since the epoch
  std::uint64_t sum = 0;      // XXH3 of a file's content, of a symlink's target
  std::string path;           // relative to the tree; "" is the tree itself
  friend bool operator==(const Node&, const Node&) = default;
};

struct Listing {
  std::vector<Node> nodes;

  [[nodiscard]] const Node* find(std::string_view path) const;
  [[nodiscard]] std::uint64_t files() const;  // and symlinks
  [[nodiscard]] std::uint64_t bytes() const;
  void sort();
};

[[nodiscard]] std::string format_listing(const Listing& listing);
// Nothing when the text is no whole listing.
[[nodiscard]] std::optional<Listing> parse_listing(std::string_view text);

// The first path at which the two are different trees, whatever their times; nothing when they are the same.
[[nodiscard]] std::optional<std::string> first_difference(const Listing& a, const Listing& b);

}  // namespace wtpool::store
