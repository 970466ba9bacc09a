// An archive as a sequence of members, read by libarchive: reading only, by descriptor, every byte hashed on the way. Internal
// to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/files/fd.hpp"

namespace wtpool::store {

struct Member {
  enum class Kind { file, directory, symlink, hard_link, other } kind = Kind::other;
  std::string name;
  std::string target;  // of links
  unsigned mode = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t size = 0;
  bool encrypted = false;
};

struct Block {
  std::uint64_t offset = 0;
  std::string_view bytes;  // until the next call
};

// Throws proto::Error: io_error when the file cannot be read, store_refused for what is no archive, is torn or is of another
// kind.
class Archive {
 public:
  explicit Archive(Fd file);
  explicit Archive(std::string_view bytes);  // which outlive it
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  [[nodiscard]] std::optional<Member> next();
  [[nodiscard]] std::optional<Block> next_block();  // of the member that next() gave
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::string sha256();  // reads what is left; once, at the end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wtpool::store
