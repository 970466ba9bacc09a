// A directory for one test, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "common/files/files.hpp"

namespace wtpool::testing {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "wtpool-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a scratch directory");
    path = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    try {
      remove_tree(path);
    } catch (const proto::Error&) {  // what a test leaves behind must not hide what it found
    }
  }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path / name; }

  std::filesystem::path path;
};

inline void put(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

}  // namespace wtpool::testing
