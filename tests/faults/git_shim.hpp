// The program of tests/faults/shim in front of git, for the daemon of one world.
#pragma once

#include "tests/support/world.hpp"

namespace wtpool::test {

class GitShim {
 public:
  // Changes PATH of the world's programs: before its daemon starts.
  explicit GitShim(World& world);
  void take_away() const;  // no git in its folder
  void put_back() const;
  // Lines as shim/main.cpp reads them, counted from now on. Empty: git is git.
  void script(const std::string& lines) const;
  [[nodiscard]] std::string log() const { return read_text(folder_ / "log"); }
  [[nodiscard]] std::string two_at_once() const { return read_text(folder_ / "two-at-once"); }
  [[nodiscard]] std::size_t killed() const { return read_text(folder_ / "killed").size(); }
  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

}  // namespace wtpool::test
