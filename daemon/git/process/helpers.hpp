// git's own long-lived helpers, one of each a source: `cat-file --batch-check` answers what a name means (0.05 ms instead of a
// process), `diff-tree --stdin` what changes between two trees, `update-ref --stdin` moves refs with git's locks and rules. All
// see what others do to the source. Started when
// they are first needed and again after they ended; whoever cannot have one runs a git of his own, so nothing depends on them.
// Any thread; one question, or one transaction, at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/process/run_child.hpp"

namespace wtpool::git {

class Helpers {
 public:
  // `start` makes the options of a git with these arguments in the source, its environment and safe settings included.
  using Start = std::function<SpawnOptions(const std::vector<std::string>& arguments, bool durable)>;
  Helpers(std::string common_dir, Start start);
  ~Helpers();

  // A line for each question; nothing when the helper cannot be had or died.
  [[nodiscard]] std::optional<std::vector<std::string>> check(const std::vector<std::string>& questions);

  // What `diff-tree -r -z --raw` says of two trees, by their full ids; nothing as above, or when one of them is no tree.
  [[nodiscard]] std::optional<std::string> changes(const std::string& from_tree, const std::string& to_tree);

  enum class Moved {
    done,
    refused,  // nothing has moved; why is for a git of one's own to say
    died,     // nothing has moved, and it ended without a word: killed, its locks may have stayed
    unknown,  // it died between being told to commit and saying that it had
  };
  // NUL-terminated commands of `update-ref --stdin -z`, without start and commit.
  [[nodiscard]] Moved move_refs(const std::string& commands);

  // The same with time between: git locks and checks, and writes what is to be durable, while the caller does something else.
  // Until it ends no other transaction of this source can begin. Aborted unless committed.
  class Move {
   public:
    Move(Move&&) = default;
    Move& operator=(Move&&) = delete;
    ~Move();
    // Waits until git is ready. `done`: everything is locked, `commit` will do it; else it has come to its end.
    [[nodiscard]] Moved prepared();
    [[nodiscard]] Moved commit();

   private:
    friend class Helpers;
    Move(Helpers& helpers, std::unique_lock<std::mutex> lock) : helpers_(&helpers), lock_(std::move(lock)) {}
    Helpers* helpers_;
    std::unique_lock<std::mutex> lock_;  // given back at the end
  };
  // Nothing when the helper cannot be had.
  [[nodiscard]] std::optional<Move> begin_move(const std::string& commands);

 private:
  // Hands a transaction to the helper up to `last`; true when it began. With the helper's mutex held.
  [[nodiscard]] bool send(const std::string& commands, const std::string& last);
  [[nodiscard]] bool says(const char* line);
  [[nodiscard]] Moved ended_before_commit();

  void mover_is(bool idle) const;  // with the helper's mutex held
  void end_mover();

  // Ends a helper of a repository that is not the one at the path any more. With the helper's mutex held.
  void drop_if_replaced(std::unique_ptr<LineChild>& child, std::string& made_for) const;

  std::string common_dir_;
  Start start_;
  std::mutex check_mutex_;
  std::unique_ptr<LineChild> checker_;
  std::string checker_for_;
  std::mutex differ_mutex_;
  std::unique_ptr<LineChild> differ_;
  std::string differ_for_;
  std::mutex move_mutex_;
  std::unique_ptr<LineChild> mover_;
  std::string mover_for_;
};

// A helper of this process that moves refs, and is between two transactions: it holds no lock. Any thread.
[[nodiscard]] bool is_idle_helper(std::int64_t pid);

}  // namespace wtpool::git
