#include "proto/codec/splitter.hpp"

#include <array>
#include <algorithm>

namespace wtpool::proto {
namespace {

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

FrameSplitter::State FrameSplitter::feed(std::string_view bytes) {
  if (too_long_) return State::too_long;

  // When every whole line was taken, what is left came with the last feed; else at least half is dropped. Either way each
  // byte is moved a bounded number of times.
  if (given_ > 0 && (given_ == partial_ || given_ >= buffer_.size() - given_)) {
    buffer_.erase(0, given_);
    partial_ -= given_;
    given_ = 0;
  }

  std::size_t scan = buffer_.size();
  buffer_.append(bytes);
  const std::string_view all = buffer_;
  while (!too_long_) {
    const auto newline = all.find('\n', scan);
    const auto end = std::min(newline, all.size());
    // A CR at the end may belong to a newline that has not come yet.
    too_long_ = without_cr(all.substr(partial_, end - partial_)).size() > longest_;
    if (newline == std::string_view::npos || too_long_) break;
    partial_ = scan = newline + 1;
  }
  if (!too_long_) return State::open;
  buffer_.resize(partial_);
  return State::too_long;
}

std::optional<std::string> FrameSplitter::next() {
  while (given_ < partial_) {
    const std::string_view all = buffer_;
    const auto newline = all.find('\n', given_);
    const auto line = without_cr(all.substr(given_, newline - given_));
    given_ = newline + 1;
    if (!line.empty()) return std::string(line);
  }
  return std::nullopt;
}

bool FrameSplitter::has_partial() const { return partial_ < buffer_.size(); }

std::optional<std::string> exceeds_limits(std::string_view line) {
  int depth = 0;
  std::array<int, kMaxNesting + 1> members{};  // of the object, if it is one, that is open at each depth
  bool in_string = false;
  std::size_t string_start = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      if (c == '"') in_string = false;
      if (c == '\\') ++i;
      // The closing quote may stand at the limit, any other byte not; an escape counts as it is written.
      if ((in_string ? i + 1 : i) - string_start > kMaxString) {
        return "a string is longer than " + std::to_string(kMaxString) + " bytes";
      }
    } else if (c == '"') {
      in_string = true;
      string_start = i + 1;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return "it nests deeper than " + std::to_string(kMaxNesting) + " levels";
      if (depth >= 0) members[static_cast<std::size_t>(depth)] = 0;
    } else if (c == ':') {
      if (depth >= 0 && ++members[static_cast<std::size_t>(depth)] > kMaxMembers)
        return "an object has more than " + std::to_string(kMaxMembers) + " members";
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return std::nullopt;
}

}  // namespace wtpool::proto
