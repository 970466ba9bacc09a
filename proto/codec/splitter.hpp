// Splits a byte stream into lines, with the limits of the protocol checked while reading, before any parser sees a byte.
// Pure: no descriptor, no clock. One splitter a connection, one thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wtpool::proto {

inline constexpr std::size_t kMaxFrame = 1024 * 1024;  // bytes of a line, newline not counted
inline constexpr int kMaxNesting = 32;
inline constexpr std::size_t kMaxString = 64 * 1024;  // bytes of one JSON string as written
inline constexpr int kMaxMembers = 256;               // of one JSON object: a reader looks for each key among those before it
inline constexpr int kMaxConnections = 1024;
inline constexpr int kMaxInFlight = 64;                     // requests of one connection
inline constexpr int kMaxWaiters = 1024;                    // of one pool
inline constexpr std::size_t kMaxOutput = 4 * 1024 * 1024;  // queued for one connection
inline constexpr int kFrameSeconds = 30;                    // an incomplete frame may stand

class FrameSplitter {
 public:
  enum class State { open, too_long };
  explicit FrameSplitter(std::size_t longest = kMaxFrame) : longest_(longest) {}
  // Adds bytes. After too_long nothing more is taken: the connection is to be answered once and closed.
  State feed(std::string_view bytes);
  // The next whole line without its newline (and without a CR before it); empty lines are skipped.
  [[nodiscard]] std::optional<std::string> next();
  [[nodiscard]] bool has_partial() const;  // bytes of an unfinished line are held
 private:
  std::size_t longest_;  // bytes of a line
  std::string buffer_;
  std::size_t given_ = 0;    // bytes before it were handed out
  std::size_t partial_ = 0;  // where the unfinished line starts
  bool too_long_ = false;
};

// Nesting depth and string length of a line, checked by one scan without recursion. Empty when it is within the limits,
// else what is wrong with it.
[[nodiscard]] std::optional<std::string> exceeds_limits(std::string_view line);

}  // namespace wtpool::proto
