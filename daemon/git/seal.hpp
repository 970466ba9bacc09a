// A seal: the proof that a slot's tree stands clean at a commit, and a watch that tells when the proof ends. What it rests on,
// in this order: every directory that holds tracked files is watched; git verifies; no tracked file has a second hard link or
// another owner; nobody, of any uid, has one open or mapped for writing (a read lease on each file says so exactly: a store to
// a mapping makes no event); the slot's index, HEAD and configuration are remembered by their stat. Whatever happens afterwards
// that could lead to a write makes an event, an opening included. What it cannot see: a hard link made to one file by its name
// afterwards, network file systems, other hosts.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/platform/tree_watch.hpp"
#include "daemon/git/git.hpp"

namespace wtpool::git {

struct NoSeal {
  enum class Why {
    busy,         // something was done to the tree meanwhile, or a file is open for writing: later
    dirty,        // git finds changes, or HEAD elsewhere
    limit,        // more directories than allowed, or the system gives no more watches
    unsupported,  // the system or the file system cannot; or files that cannot be proven (hard links, another owner)
  };
  Why why = Why::busy;
  std::string text;  // a clause, for the log
};

// Made by one thread, then used by one at a time.
class Seal {
 public:
  struct Wanted {
    Oid at;                                  // HEAD is detached there
    std::vector<std::string> private_files;  // whose stat must stay: index, HEAD, configuration; they may be absent
    std::size_t watch_limit = 0;             // directories at most
  };
  // `slot`: git in the slot, whose lock the caller has. Throws cancelled and git's own errors; everything else is a NoSeal.
  [[nodiscard]] static std::variant<std::unique_ptr<Seal>, NoSeal> make(const Git& slot, const Wanted& wanted);

  // Does the proof hold at this moment? Once it does not, it never does again.
  [[nodiscard]] bool intact();
  [[nodiscard]] const Oid& at() const { return at_; }
  [[nodiscard]] std::size_t watches() const { return watches_; }
  [[nodiscard]] int fd() const { return watch_.fd(); }  // readable when the proof may have ended

 private:
  struct Stat {
    std::string path;
    std::optional<struct ::stat> stat;
  };
  Seal(platform::TreeWatch watch, Oid at, std::size_t watches, std::vector<Stat> stats);

  platform::TreeWatch watch_;
  Oid at_;
  std::size_t watches_ = 0;
  std::vector<Stat> stats_;
  bool broken_ = false;
};

}  // namespace wtpool::git
