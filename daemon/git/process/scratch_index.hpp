// An index file of our own beside a slot's, gone with the value: for questions and trees that the slot's own must not show.
// Of one job at a time. Throws proto::Error.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

class ScratchIndex {
 public:
  explicit ScratchIndex(const Git& slot);
  ScratchIndex(const ScratchIndex&) = delete;
  ScratchIndex& operator=(const ScratchIndex&) = delete;
  ~ScratchIndex();

  // As the slot's is now; empty where it has none.
  void copy_from_slot();
  // What git says when its index is this one.
  std::string git(const std::vector<std::string>& arguments, std::string input = {}) const;
  [[nodiscard]] Oid write_tree() const;
  // Lines of `update-index --index-info`; with no lines git is not asked.
  void set_entries(const std::string& lines) const;
  // `update-index` with these options for these paths.
  void update(std::vector<std::string> options, const std::vector<std::string>& paths) const;
  // As `git add` does; of a file that its working-tree-encoding cannot take, the bytes as they are.
  void add_files(std::vector<std::string> paths) const;
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] std::size_t count() const { return paths().size(); }

 private:
  const Git& slot_;
  std::filesystem::path file_;
};

}  // namespace wtpool::git
