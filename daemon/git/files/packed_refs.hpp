// packed-refs, the file in which git keeps most refs of a large repository: looked up by binary search, so that 50,000 refs
// cost what 10 do. Its lines are "<oid> <ref>", sorted by ref where the header says so; a "^<oid>" line peels the tag before
// it. One thread at a time. What is open stays what it was: git replaces the file and never writes into it.
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/files/fd.hpp"
#include "proto/ids.hpp"

namespace wtpool::git {

class PackedRefs {
 public:
  // Without the file there is no ref in it. Throws io_error when it cannot be read.
  [[nodiscard]] static PackedRefs open(const std::filesystem::path& common_dir);

  // The id behind a full ref name; nothing when there is none.
  [[nodiscard]] std::optional<Oid> value(std::string_view ref);

 private:
  struct Line {
    std::size_t begin = 0;
    std::size_t next = 0;  // where the line after it begins
    std::string text;      // without its newline
  };
  // The first line that begins in [from, end); `from` may be within a line.
  [[nodiscard]] std::optional<Line> line_at_or_after(std::size_t from, std::size_t end);
  [[nodiscard]] std::optional<Line> ref_line(std::size_t from, std::size_t end);
  [[nodiscard]] std::optional<std::size_t> newline_from(std::size_t from);
  [[nodiscard]] std::optional<Oid> value_in_unsorted(std::string_view ref);
  [[nodiscard]] const std::string& page(std::size_t number);

  std::filesystem::path path_;
  Fd fd_;
  std::size_t size_ = 0;
  std::size_t first_ = 0;  // where the header ends
  bool sorted_ = false;
  std::map<std::size_t, std::string> pages_;
};

}  // namespace wtpool::git
