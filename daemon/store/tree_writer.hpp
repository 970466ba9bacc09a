// Writes the tree of one entry, so that it is never writable and never reaches outside: it makes each directory itself and
// remembers what it made, so no member can be written through a symlink. Files are without write permission from the start;
// directories lose theirs in finish(). Throws proto::Error, which names the member; the caller removes what is half there.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <unordered_map>
#include <vector>

#include "common/files/fd.hpp"
#include "daemon/store/limits.hpp"
#include "daemon/store/listing.hpp"
#include "daemon/store/names.hpp"
#include "daemon/store/sums.hpp"

namespace wtpool::store {

class TreeWriter {
 public:
  struct Attributes {
    unsigned mode = 0644;
    std::int64_t mtime_ns = 0;
  };

  TreeWriter(std::filesystem::path root, const Limits& limits);  // makes `root`
  ~TreeWriter();
  TreeWriter(const TreeWriter&) = delete;
  TreeWriter& operator=(const TreeWriter&) = delete;

  void directory(std::string_view name, const Attributes& attributes);
  void symlink(std::string_view name, const std::string& target, const Attributes& attributes);
  void hard_link(std::string_view name, const std::string& target);
  void begin_file(std::string_view name, const Attributes& attributes);
  void data(std::uint64_t offset, std::string_view bytes);  // in ascending order; what is left out is zeros
  void end_file(std::uint64_t size);                        // at least what was written
  void set_bytes_read(std::uint64_t bytes) { read_ = bytes; }

  [[nodiscard]] Listing finish();

 private:
  struct Made {
    NodeKind kind = NodeKind::file;
    bool named = true;     // false: a directory that only lies on the way to a member
    std::size_t node = 0;  // its place in listing_
    std::string target;    // of a symlink
  };

  [[noreturn]] void refuse(std::string_view name, const std::string& why) const;
  [[noreturn]] void failed(std::string_view name, int error_number) const;
  void count_member(std::string_view name);
  void count_bytes(std::uint64_t bytes);
  std::string checked(std::string_view name) const;
  int parent_descriptor(const std::string& path);
  int descriptor_of(const std::string& directory);
  Made& remember(const std::string& path, NodeKind kind, const Attributes& attributes);
  void write(std::string_view bytes);
  void fill_with_zeros(std::uint64_t until);
  void check_symlinks() const;
  bool leads_out(const std::string& link, const std::string& target) const;

  std::filesystem::path root_;
  Limits limits_;
  Listing listing_;
  std::unordered_map<std::string, Made> made_;
  struct Open {
    std::string path;
    Fd fd;
  };
  std::vector<Open> open_;  // the directory written to last, below those it lies in
  std::int64_t now_ns_ = 0;

  Fd file_;
  std::string file_name_;
  std::size_t file_node_ = 0;
  std::uint64_t at_ = 0;
  Xxh3 sum_;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t asked_at_ = 0;  // bytes written when the disk's free space was asked last
};

}  // namespace wtpool::store
