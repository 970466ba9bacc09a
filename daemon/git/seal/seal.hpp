// A seal: the proof that a slot's tree stands clean at a commit, and a watch that tells when the proof ends. What it rests on,
// in this order: the slot's index, HEAD and configuration are remembered by their stat (the source's configuration by what it
// says: every `git branch -D` there writes it anew, as it was); every directory that holds tracked
// files is watched; no tracked file has a second hard link or another owner, and nobody, of any uid, has one open or mapped for
// writing (a read lease on each file says so exactly: a store to a mapping makes no event); git verifies. Whatever happens
// afterwards that could lead to a write makes an event, an opening included. What it cannot see: a hard link made to one file
// by its name afterwards, what is mounted over a directory or comes in by a file handle, network file systems, other hosts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/platform/tree_watch.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct NoSeal {
  enum class Why {
    busy,         // something was done to the tree meanwhile, or a file is open for writing: later
    dirty,        // git finds changes, or HEAD on a branch
    limit,        // more directories than allowed, or the system gives no more watches
    unsupported,  // the system or the file system cannot; or files that cannot be proven (hard links, another owner)
  };
  Why why = Why::busy;
  std::string text;  // a clause, for the log
};

// What stat says of a file, as far as any change of the file shows in it; that it is absent is something said, too.
struct FileStamp {
  bool present = false;
  std::uint64_t device = 0, inode = 0;
  std::int64_t size = 0, modified_ns = 0, changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
[[nodiscard]] FileStamp stamp_of(const std::string& path);
// Of a regular file that is not large; nothing of any other.
[[nodiscard]] std::optional<std::string> content_of(const std::string& path);

// Made by one thread, then used by one at a time. Destroying one takes some 10 ms.
class Seal {
 public:
  struct Wanted {
    std::vector<std::string> private_files;  // whose stat must stay: index, HEAD, configuration; they may be absent
    std::vector<std::string> shared_files;   // the same, but who writes what stood there before has changed nothing
    std::size_t watch_limit = 0;             // directories at most
  };
  // Takes what was not finished, where the caller has no time for its end.
  using Retire = std::function<void(std::unique_ptr<Seal>)>;
  // `slot`: git in the slot, whose lock the caller has. Throws cancelled and git's own errors; everything else is a NoSeal.
  [[nodiscard]] static std::variant<std::unique_ptr<Seal>, NoSeal> make(const Git& slot, const Wanted& wanted,
                                                                        const Retire& retire = {});

  // Does the proof hold at this moment? Once it does not, it never does again. That the slot's .git file was read, as this
  // daemon does when it looks at its slots, ends nothing.
  [[nodiscard]] bool intact();
  [[nodiscard]] const Oid& at() const { return at_; }  // where HEAD is detached
  [[nodiscard]] std::size_t watches() const { return watches_; }
  [[nodiscard]] int fd() const { return watch_.fd(); }  // readable when the proof may have ended

 private:
  friend class Sealing;
  struct Remembered {
    std::string path;
    FileStamp stamp;
    std::optional<std::string> content;  // where that is what counts
    [[nodiscard]] bool unchanged() const;
  };
  Seal(platform::TreeWatch watch, std::string root);

  platform::TreeWatch watch_;
  Oid at_;
  std::string root_;  // the slot's directory
  FileStamp root_stamp_;
  int root_watch_ = -1;
  std::size_t watches_ = 0;
  std::vector<Remembered> files_;
  bool broken_ = false;
};

}  // namespace wtpool::git
