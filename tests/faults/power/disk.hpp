// A disk with a page cache, in memory. It is told every change in order (effects), and then asked what is there after the
// power failed at some moment: what was synced is, and of the rest whatever chance decides within the laws.
//
// Two laws:
//   ordered  Names are kept as by a journal: changes of directories are on the disk in the order in which they were made, so
//            that what survives is a beginning of them. A sync of any file or directory brings the journal at least to that
//            file's own last change. This is what ext4, XFS and APFS do, and what git builds on: it syncs an object or a ref
//            before it renames it, and never a directory.
//   loose    What POSIX promises, and Linux adds: names of a directory are on the disk once that directory was synced, or the
//            file of that name; every other change of a name is kept or lost by itself. Nobody's git is safe on such a disk,
//            wtpool's own files have to be.
// Under both, a file's content that was not synced is there, or not, or its beginning, or zeros in its place, whatever became
// of its name: no file system is trusted to write content before a rename. sync_file_range writes content out, and it counts as
// safe once anything was synced after it (git's core.fsyncMethod=batch is built on that).
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace wtpool::test::power {

using Inode = std::size_t;

struct Node {
  enum class Kind { file, directory, symlink };
  Kind kind = Kind::file;
  mode_t mode = 0644;
  std::string data;  // content, or what a symlink says
  std::map<std::string, Inode> entries;
};

// A whole file system; inode 0 is its root.
struct Tree {
  std::vector<Node> nodes{Node{Node::Kind::directory, 0755, {}, {}}};

  // By a path relative to the root, without following symlinks. Nothing when it is not there.
  [[nodiscard]] const Node* find(const fs::path& path) const;
  [[nodiscard]] std::optional<Inode> inode_of(const fs::path& path) const;
  [[nodiscard]] static Tree of(const fs::path& directory);  // sockets are left out
  void write_to(const fs::path& directory) const;           // which is there and empty
  // First difference to another, as a sentence; empty when there is none. Modes are not compared.
  [[nodiscard]] std::string difference(const Tree& other) const;
};

struct Effect {
  enum class Kind { make, link, rename, unlink, write, truncate, mode, sync, write_out, sync_all, said, answered };
  Kind kind;
  Inode inode = 0;
  Inode parent = 0;  // of the name that comes to be or goes; of a rename, the old one
  std::string name = {};
  Inode new_parent = 0;  // rename
  std::string new_name = {};
  std::size_t offset = 0;              // write; the size, of a truncate
  std::string bytes = {};              // write; a symlink's text; what was said
  std::size_t covers = 0;              // sync, write_out: effects before this one were made when it began
  Node::Kind node = Node::Kind::file;  // make
  mode_t mode = 0;                     // make, mode
};

// Applies one effect as a kernel does that never crashes.
void apply(Tree& tree, const Effect& effect);

enum class Law { ordered, loose };

// For trying the machine itself: a disk that takes a sync for nothing must be found out.
enum class Syncs { all, none, files_only, directories_only };

struct Schedule {
  std::size_t moment = 0;  // effects before it were made
  Law law = Law::ordered;
  Syncs syncs = Syncs::all;
  std::mt19937 chance;
};

// `base` was on the disk from the start.
[[nodiscard]] Tree after_power_loss(const Tree& base, const std::vector<Effect>& effects, Schedule schedule);

}  // namespace wtpool::test::power
