// An empty bare repository of our own that borrows a source's objects: for questions on ids alone. Attributes, configuration,
// refs, merge drivers and hooks of the source are not there, and what git writes goes with it. Of one job at a time; gone with
// the value.
#pragma once

#include <filesystem>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

class ObjectRoom {
 public:
  // `some`: any id of the source, whose length says which hash it uses.
  ObjectRoom(const Git& source, const Oid& some);
  ObjectRoom(const ObjectRoom&) = delete;
  ObjectRoom& operator=(const ObjectRoom&) = delete;
  ~ObjectRoom();

  // git there, which reads no configuration but its own.
  [[nodiscard]] ChildResult run(std::vector<std::string> arguments, std::string input = {}) const;
  // The same, and throws git_failed on any exit code but 0.
  std::string must(std::vector<std::string> arguments, std::string input = {}) const;

 private:
  std::filesystem::path directory_;
  Git git_;
};

}  // namespace wtpool::git
