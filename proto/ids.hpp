// Strong identifiers: values that cannot be mixed up, ordered and hashable, without I/O.
// Text inside is never interpreted here; whoever makes one has checked it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace wtpool {

template <class Tag>
class TextId {
 public:
  TextId() = default;
  explicit TextId(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend auto operator<=>(const TextId&, const TextId&) = default;

 private:
  std::string text_;
};

template <class Tag>
class NumberId {
 public:
  NumberId() = default;
  explicit constexpr NumberId(std::uint64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(const NumberId&, const NumberId&) = default;

 private:
  std::uint64_t value_ = 0;
};

using PoolKey = TextId<struct PoolKeyTag>;        // a pool's name: the directory below the pools root
using SlotId = TextId<struct SlotIdTag>;          // `slot-3`, `ios-0`
using LeaseId = TextId<struct LeaseIdTag>;        // 32 lower-case hex digits
using Oid = TextId<struct OidTag>;                // 40 or 64 lower-case hex digits
using SourceId = TextId<struct SourceIdTag>;      // real path of the source's common git directory
using SessionId = NumberId<struct SessionIdTag>;  // one connection
using RequestId = NumberId<struct RequestIdTag>;  // one request, unique in a daemon's life
using JobId = NumberId<struct JobIdTag>;          // one job, unique in a daemon's life

}  // namespace wtpool

template <class Tag>
struct std::hash<wtpool::TextId<Tag>> {
  std::size_t operator()(const wtpool::TextId<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};

template <class Tag>
struct std::hash<wtpool::NumberId<Tag>> {
  std::size_t operator()(const wtpool::NumberId<Tag>& id) const noexcept { return std::hash<std::uint64_t>{}(id.value()); }
};
