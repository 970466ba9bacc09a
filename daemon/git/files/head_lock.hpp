// A slot's HEAD by git's own rule for it, without a git: HEAD.lock made by O_EXCL, what HEAD is to say written into it, the
// reflog's line appended, the lock renamed to HEAD. git of any version, and whatever else keeps to the rule, sees one or the
// other HEAD and never both writers at once. Only where refs are files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/files/fd.hpp"
#include "proto/ids.hpp"

namespace wtpool::git {

class HeadLock {
 public:
  // Locks HEAD of a worktree entry that stands detached at `from`, to attach it to a branch. Nothing when git has to do it, and
  // to say why if it cannot: somebody has the lock, HEAD is no plain file or says something else, there is no reflog to append
  // to, refs are in another format. Throws what the disk refuses.
  [[nodiscard]] static std::optional<HeadLock> take(const std::filesystem::path& entry, const Oid& from,
                                                    const std::string& branch);
  HeadLock(HeadLock&& other) noexcept;
  HeadLock& operator=(HeadLock&&) = delete;
  ~HeadLock();  // gives the lock back, unless committed

  // To be synced before `commit`: git syncs what refs say, as core.fsync=reference asks, and a HEAD that a power cut emptied
  // would make git fail in the whole source.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // HEAD names the branch, which stands at `to`. Throws, with HEAD as it was.
  void commit(const Oid& to);

 private:
  HeadLock(std::filesystem::path entry, Oid from, std::string branch);

  std::filesystem::path entry_;
  Oid from_;
  std::string branch_;
  Fd fd_;
  bool locked_ = false;
};

}  // namespace wtpool::git
