// The short way of an acquire, without a git process: from a tree that is known to stand clean, and that the commit would not
// change, to a new branch there. The branch is made by the source's helper, HEAD is attached by git's own rule, and what has to
// be on the disk before the next step is synced together rather than one after the other.
#pragma once

#include "daemon/disk/marker.hpp"
#include "daemon/git/files/head_lock.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/jobs/slot/undo_steps.hpp"

namespace wtpool::jobs {

class ShortWay {
 public:
  // Writes what is known already: HEAD, locked, and the marker `held` that will end the acquire. The slot stands detached at
  // `from`, with the tree of held's commit. Nothing when this is git's to do, see HeadLock. Changes nothing that counts.
  [[nodiscard]] static std::unique_ptr<ShortWay> stage(const JobContext& job, const std::string& git_id, const Oid& from,
                                                       const core::Marker& held);

  // The bytes of what was staged, and of `acquiring`, are on the disk when it returns; those of `index` as well, if it is
  // open: a git wrote it that did not wait for the disk.
  void sync(const disk::StagedMarker* acquiring = nullptr, const Fd& index = Fd());

  // Makes the branch and attaches HEAD to it. While git checks and syncs the branch, `meanwhile` runs; the branch appears only
  // after both. False: nothing has moved, and git has to say why. Each undo is added when there is something to undo.
  [[nodiscard]] bool attach(const git::Git& source, Steps& steps, const std::function<void()>& remove_branch,
                            const std::function<void()>& meanwhile);

  // The marker in its place.
  [[nodiscard]] core::Durable hold() { return held_.place(); }

 private:
  ShortWay(git::HeadLock head, disk::StagedMarker held, core::Lease lease)
      : head_(std::move(head)), held_(std::move(held)), lease_(std::move(lease)) {}

  git::HeadLock head_;
  disk::StagedMarker held_;
  core::Lease lease_;
};

}  // namespace wtpool::jobs
