// The index of a cloned tree: the old one's with what a stat says of the cloned files in its place, so that git hashes none of
// them. Only entries that were proven are carried over; git looks at all others again.
#pragma once

#include <cstddef>
#include <filesystem>

namespace wtpool::git {

struct IndexRepair {
  std::size_t proven = 0;   // entries that git takes as unchanged
  std::size_t unknown = 0;  // entries that git hashes when it next looks
  bool foreign = false;     // of a form that is not read here (split, sparse, unknown version): nothing was written
};

// Writes `target` from `index`, which was git's for the tree `tree`, for `clone`, a clone of that tree. An entry is proven
// where it matches its file in `tree` in every field that git compares and was not racy against `index`, and the clone's file
// has the same size and mtime. Of the extensions only TREE is kept: the others speak of inodes and offsets of before. An entry
// that is assume-unchanged loses that bit. Written as <target>.lock and renamed; not synced. Throws proto::Error: the index is
// not there, is damaged, or <target>.lock is there already.
IndexRepair repair_index(const std::filesystem::path& index, const std::filesystem::path& tree,
                         const std::filesystem::path& clone, const std::filesystem::path& target);

}  // namespace wtpool::git
