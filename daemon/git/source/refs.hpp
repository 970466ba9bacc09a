// Ref transactions, run in the source so that a slot's HEAD, its branch and the trash refs move together or not at all.
#pragma once

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

class RefTransaction {
 public:
  void create(std::string ref, Oid value);
  void update(std::string ref, Oid value, Oid expected);
  void set(std::string ref, Oid value);  // whatever it was
  void remove(std::string ref, Oid expected);
  void detach_head(const std::string& git_id, Oid value);  // worktrees/<git_id>/HEAD itself, not the branch behind it
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  // One `git update-ref --stdin -z`, durable. Throws git_failed; then nothing has moved. git syncs a ref's value and not its
  // name: the names of refs that keep work (refs/wtpool/) are synced here, since what they keep is destroyed next.
  void commit(const Git& source) const;

  // The same in two halves, for who has something else to wait for meanwhile; other transactions of the source wait until the
  // second, and so does every git by hand that moves refs if this one removes any: only for what creates. False: nothing has
  // moved, and `commit` would say why. Needs the source's helper; without one it is false.
  struct Begun {
    std::optional<Helpers::Move> move;
    std::int64_t started = 0;
  };
  [[nodiscard]] Begun begin(const Git& source) const;
  [[nodiscard]] static bool finish(const Git& source, Begun begun);

 private:
  void move(const Git& source) const;
  void sync_names(const std::string& common_dir) const;

  std::vector<std::string> keeping_;  // refs below refs/wtpool/ that are set
  std::string lines_;
};

struct Ref {
  std::string name;  // full
  Oid value;
  std::string type;  // commit, tag, tree, blob
};
[[nodiscard]] std::vector<Ref> list_refs(const Git& source, const std::string& prefix);
// Ids of full ref names or other expressions, in order; one process.
[[nodiscard]] std::vector<std::optional<Oid>> ids_of(const Git& place, const std::vector<std::string>& expressions);
// What these full ref names of the source stand at, where a branch is about to go: read from the files this moment. A git that
// runs for long goes by the inode, size and whole second of packed-refs, and may not see that it was written twice in one second.
[[nodiscard]] std::vector<std::optional<Oid>> tips_now(const Git& source, const std::vector<std::string>& refs);

}  // namespace wtpool::git
