// The refs of a source read as plain files, for repositories whose refs are files: loose ones first, then packed-refs, as git
// does. What is read is a moment's view, as any git's would be.
#pragma once

#include <optional>
#include <string>

#include "proto/ids.hpp"

namespace wtpool::git {

class RefFiles {
 public:
  // Nothing when refs are kept in another format.
  [[nodiscard]] static std::optional<RefFiles> open(const std::string& common_dir);

  // The id behind a full ref name; nothing when there is none, or when it is symbolic or torn (git then has to say).
  [[nodiscard]] std::optional<Oid> value(const std::string& ref);
  [[nodiscard]] bool exists(const std::string& ref);
  // The full name of some ref below `prefix`/.
  [[nodiscard]] std::optional<std::string> any_below(const std::string& prefix);

 private:
  explicit RefFiles(std::string common_dir) : common_dir_(std::move(common_dir)) {}
  const std::string& packed();

  std::string common_dir_;
  std::optional<std::string> packed_;
};

}  // namespace wtpool::git
