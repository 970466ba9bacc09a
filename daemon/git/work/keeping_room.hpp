// Objects on their way to being kept. A prune or gc of the source may have looked at the refs before ours is there, and deletes
// what it saw nobody lead to: loose objects of this minute too. So what is to be kept is written out of its sight, comes into
// the source as one pack with a .keep, and is let go only when the ref leads to it. One pack is also one sync, however many
// files it keeps.
#pragma once

#include <filesystem>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// A pack in the source that no gc takes away while this value lives; a default one is of nothing.
class HeldPack {
 public:
  HeldPack() = default;
  HeldPack(HeldPack&& other) noexcept;
  HeldPack& operator=(HeldPack&& other) noexcept;
  HeldPack(const HeldPack&) = delete;
  HeldPack& operator=(const HeldPack&) = delete;
  ~HeldPack() { let_go(); }

  // To be asked once the ref is there: false, somebody took it away all the same, and what it kept is to be saved again.
  [[nodiscard]] bool stands() const;
  void let_go() noexcept;

 private:
  friend class KeepingRoom;
  explicit HeldPack(std::filesystem::path stem) : stem_(std::move(stem)) {}
  std::filesystem::path stem_;  // objects/pack/pack-<hash>; empty: nothing had to be packed
};

// A directory for objects, gone with the value. Of one job at a time. Throws proto::Error.
class KeepingRoom {
 public:
  explicit KeepingRoom(const Git& git);
  KeepingRoom(const KeepingRoom&) = delete;
  KeepingRoom& operator=(const KeepingRoom&) = delete;
  ~KeepingRoom();

  // Git at the same place. What it reads may stand in the source; what it writes stands in here, and is not synced.
  [[nodiscard]] const Git& git() const { return git_; }

  // What is behind `tips` and not behind `known`, in here or loose in the source, is in a pack of the source, read whole and
  // durable, when this returns. Ids in `known` that name nothing are passed over. Throws quarantined when an object is missing
  // or damaged, as those are that a power loss took half of.
  [[nodiscard]] HeldPack hold(const std::vector<Oid>& tips, const std::vector<Oid>& known) const;

 private:
  std::filesystem::path common_;
  std::filesystem::path directory_;
  Git git_;
};

// The same of what somebody's own git wrote into the source.
[[nodiscard]] HeldPack hold_objects(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known);

}  // namespace wtpool::git
