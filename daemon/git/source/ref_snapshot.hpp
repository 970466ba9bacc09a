// The values of exactly the refs that a request needs, and the HEADs of its slots, as they stood at one moment: an immutable
// value that is taken once, at the beginning, and handed on; after a ref write of our own a new one is taken. No map from ref
// names to ids outlives the request.
// Read as plain files (loose refs, then packed-refs): 18 refs take less than 0.1 ms, however many refs the source has.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/ids.hpp"

namespace wtpool::git {

class RefSnapshot {
 public:
  struct Wanted {
    std::vector<std::string> refs;   // full names, refs/...
    std::vector<std::string> heads;  // git ids of worktree entries; an empty one is the main worktree
  };
  struct Head {
    std::optional<std::string> branch;  // its short name; absent: detached, or HEAD cannot be read
    std::optional<Oid> oid;             // absent: unborn, or HEAD cannot be read
  };

  // Reads again while somebody writes, so that all values stood together at one moment; after some tries takes what it has.
  // `common_dir` must keep its refs as files. Throws proto::Error when a ref that is there cannot be read.
  [[nodiscard]] static RefSnapshot take(const std::string& common_dir, const Wanted& wanted);

  // Nothing when there is no such ref. Throws `internal` for one that was not asked for.
  [[nodiscard]] std::optional<Oid> value(const std::string& ref) const;
  [[nodiscard]] const Head& head(const std::string& git_id) const;

 private:
  RefSnapshot() = default;
  template <class Files>
  [[nodiscard]] static RefSnapshot read(Files& files, const std::string& common_dir, const Wanted& wanted);

  std::map<std::string, std::optional<Oid>> refs_;
  std::map<std::string, Head> heads_;
};

}  // namespace wtpool::git
