#include "daemon/store/listing.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/store/names.hpp"

namespace wtpool::store {
namespace {

constexpr std::string_view kStart = "wtpool listing 1\n";
constexpr std::string_view kEnd = "end ";

char letter_of(NodeKind kind) { return kind == NodeKind::file ? 'f' : kind == NodeKind::directory ? 'd' : 'l'; }

std::optional<NodeKind> kind_of(char letter) {
  if (letter == 'f') return NodeKind::file;
  if (letter == 'd') return NodeKind::directory;
  if (letter == 'l') return NodeKind::symlink;
  return std::nullopt;
}

template <class Number>
void add_number(std::string& text, Number value, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  text.append(digits.data(), end);
}

// A number in its one spelling, and the space or NUL behind it.
template <class Number>
bool take(std::string_view& text, Number& value, int base, char behind) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (failure != std::errc{} || used >= text.size() || text[used] != behind) return false;
  std::string again;
  add_number(again, value, base);
  if (again != text.substr(0, used)) return false;
  text.remove_prefix(used + 1);
  return true;
}

bool take_node(std::string_view& text, Node& node) {
  const auto kind = text.size() > 2 && text[1] == ' ' ? kind_of(text[0]) : std::nullopt;
  if (!kind) return false;
  node.kind = *kind;
  text.remove_prefix(2);
  if (!take(text, node.mode, 8, ' ') || !take(text, node.size, 10, ' ') || !take(text, node.mtime_ns, 10, ' ') ||
      !take(text, node.sum, 16, ' '))
    return false;
  const std::size_t end = text.find('\0');
  if (end == std::string_view::npos || node.mode > 0777) return false;
  node.path = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (node.path.empty()) return node.kind == NodeKind::directory;
  const MemberName name = member_name(node.path);
  return !name.refused && name.text() == node.path;
}

bool same_thing(const Node& a, const Node& b) {
  const bool modes = a.mode == b.mode || a.path.empty();  // many an archive does not name the tree itself
  return a.kind == b.kind && modes && a.size == b.size && a.sum == b.sum && a.path == b.path;
}

}  // namespace

const Node* Listing::find(std::string_view path) const {
  const auto at =
      std::ranges::lower_bound(nodes, path, path_less, [](const Node& node) { return std::string_view(node.path); });
  return at == nodes.end() || at->path != path ? nullptr : &*at;
}

std::uint64_t Listing::files() const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(nodes, [](const Node& node) { return node.kind != NodeKind::directory; }));
}

std::uint64_t Listing::bytes() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes) sum += node.size;
  return sum;
}

void Listing::sort() {
  std::ranges::sort(nodes, path_less, [](const Node& node) { return std::string_view(node.path); });
}

std::string format_listing(const Listing& listing) {
  std::string text(kStart);
  text.reserve(listing.nodes.size() * 96);
  for (const Node& node : listing.nodes) {
    text += letter_of(node.kind);
    text += ' ';
    add_number(text, node.mode, 8);
    text += ' ';
    add_number(text, node.size);
    text += ' ';
    add_number(text, node.mtime_ns);
    text += ' ';
    add_number(text, node.sum, 16);
    text += ' ';
    text += node.path;
    text += '\0';
  }
  text += kEnd;
  add_number(text, listing.nodes.size());
  return text + '\n';
}

std::optional<Listing> parse_listing(std::string_view text) {
  if (!text.starts_with(kStart)) return std::nullopt;
  text.remove_prefix(kStart.size());
  Listing listing;
  while (!text.starts_with(kEnd)) {
    Node node;
    if (!take_node(text, node)) return std::nullopt;
    if (!listing.nodes.empty() && !path_less(listing.nodes.back().path, node.path)) return std::nullopt;
    listing.nodes.push_back(std::move(node));
  }
  text.remove_prefix(kEnd.size());
  std::size_t count = 0;
  if (!take(text, count, 10, '\n') || !text.empty() || count != listing.nodes.size()) return std::nullopt;
  return listing;
}

std::optional<std::string> first_difference(const Listing& a, const Listing& b) {
  auto left = a.nodes.begin();
  auto right = b.nodes.begin();
  for (; left != a.nodes.end() && right != b.nodes.end(); ++left, ++right) {
    if (same_thing(*left, *right)) continue;
    return path_less(left->path, right->path) ? left->path : right->path;
  }
  if (left != a.nodes.end()) return left->path;
  if (right != b.nodes.end()) return right->path;
  return std::nullopt;
}

}  // namespace wtpool::store
