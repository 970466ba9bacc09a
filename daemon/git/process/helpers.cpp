#include "daemon/git/process/helpers.hpp"

#include <set>

#include "common/base/clock.hpp"
#include "common/base/timed.hpp"
#include "common/files/files.hpp"
#include "proto/errors.hpp"

namespace wtpool::git {
namespace {

constexpr std::chrono::seconds kPatience{20};  // packed-refs.lock may be waited for

std::unique_ptr<LineChild> start_or_none(const SpawnOptions& options) {
  try {
    return LineChild::start(options);
  } catch (const proto::Error&) {
    return nullptr;
  }
}

// Those of all sources.
struct IdleMovers {
  std::mutex mutex;
  std::set<std::int64_t> pids;
};
IdleMovers& idle_movers() {
  static IdleMovers instance;
  return instance;
}

}  // namespace

bool is_idle_helper(std::int64_t pid) {
  auto& idle = idle_movers();
  const std::lock_guard guard(idle.mutex);
  return idle.pids.contains(pid);
}

void Helpers::mover_is(bool idle) const {
  if (!mover_) return;
  auto& all = idle_movers();
  const std::lock_guard guard(all.mutex);
  if (idle) {
    all.pids.insert(mover_->pid());
  } else {
    all.pids.erase(mover_->pid());
  }
}

void Helpers::end_mover() {
  mover_is(false);
  mover_.reset();
}

Helpers::Helpers(std::string common_dir, Start start) : common_dir_(std::move(common_dir)), start_(std::move(start)) {}
Helpers::~Helpers() { end_mover(); }

void Helpers::drop_if_replaced(std::unique_ptr<LineChild>& child, std::string& made_for) const {
  const auto stat = lstat_of(common_dir_);
  const std::string now = stat ? std::to_string(stat->st_dev) + ":" + std::to_string(stat->st_ino) : std::string();
  if (now == made_for) return;
  child.reset();
  made_for = now;
}

std::optional<std::vector<std::string>> Helpers::check(const std::vector<std::string>& questions) {
  const Timed timed("helper", "cat-file");
  const std::lock_guard guard(check_mutex_);
  drop_if_replaced(checker_, checker_for_);
  std::string text;
  for (const auto& question : questions) text += question + "\n";
  // One that ended while nobody asked is started again, once.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!checker_) checker_ = start_or_none(start_({"cat-file", "--batch-check"}, false));
    if (!checker_) return std::nullopt;
    std::vector<std::string> answers;
    if (checker_->write(text)) {
      while (answers.size() < questions.size()) {
        auto line = checker_->read_line(kPatience);
        if (!line) break;
        answers.push_back(std::move(*line));
      }
    }
    if (answers.size() == questions.size()) return answers;
    checker_.reset();
  }
  return std::nullopt;
}

std::optional<std::string> Helpers::changes(const std::string& from_tree, const std::string& to_tree) {
  const Timed timed("helper", "diff-tree");
  const std::lock_guard guard(differ_mutex_);
  drop_if_replaced(differ_, differ_for_);
  // git repeats a line that is no id, and writes out with it what it has to say.
  const std::string end = "end-" + random_hex(16);
  const std::string header = from_tree + " " + to_tree;
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!differ_) {
      differ_ = start_or_none(start_({"diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff",
                                      "--no-textconv", "--ignore-submodules=none"},
                                     false));
    }
    if (!differ_) return std::nullopt;
    std::string said;
    if (differ_->write(header + "\n" + end + "\n")) {
      while (auto line = differ_->read_line(kPatience)) {
        said += *line;
        if (said.ends_with(end)) {
          said.resize(said.size() - end.size());
          if (!said.starts_with(header + "\n")) return std::nullopt;
          return said.substr(header.size() + 1);
        }
        said += '\n';
      }
    }
    differ_.reset();
  }
  return std::nullopt;
}

bool Helpers::says(const char* line) { return mover_->read_line(kPatience) == std::optional<std::string>(line); }

bool Helpers::send(const std::string& commands, const std::string& last) {
  using namespace std::string_literals;
  mover_is(false);
  drop_if_replaced(mover_, mover_for_);
  // One that ended while nobody asked is started again, once. All in one piece: each piece would wake it once more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!mover_) mover_ = start_or_none(start_({"update-ref", "-m", "wtpool", "--stdin", "-z"}, true));
    if (!mover_) return false;
    if (mover_->write("start\0"s + commands + last) && says("start: ok")) return true;
    end_mover();
  }
  return false;
}

Helpers::Moved Helpers::ended_before_commit() {
  // It says why and ends itself, and what it had locked is let go; nothing has moved.
  const bool spoke = !mover_->error_tail().empty();
  end_mover();
  return spoke ? Moved::refused : Moved::died;
}

Helpers::Moved Helpers::move_refs(const std::string& commands) {
  using namespace std::string_literals;
  const Timed timed("helper", "update-ref");
  const std::lock_guard guard(move_mutex_);
  if (!send(commands, "prepare\0commit\0"s)) return Moved::refused;
  if (!says("prepare: ok")) return ended_before_commit();
  if (says("commit: ok")) {
    mover_is(true);
    return Moved::done;
  }
  end_mover();
  return Moved::unknown;
}

std::optional<Helpers::Move> Helpers::begin_move(const std::string& commands) {
  using namespace std::string_literals;
  std::unique_lock lock(move_mutex_);
  if (!send(commands, "prepare\0"s)) return std::nullopt;
  return Move(*this, std::move(lock));
}

Helpers::Moved Helpers::Move::prepared() {
  if (helpers_->says("prepare: ok")) return Moved::done;
  const auto end = helpers_->ended_before_commit();
  lock_.unlock();
  return end;
}

Helpers::Moved Helpers::Move::commit() {
  using namespace std::string_literals;
  auto moved = Moved::done;
  if (!helpers_->mover_->write("commit\0"s) || !helpers_->says("commit: ok")) {
    helpers_->end_mover();
    moved = Moved::unknown;
  }
  helpers_->mover_is(true);
  lock_.unlock();
  return moved;
}

Helpers::Move::~Move() {
  if (!lock_.owns_lock()) return;
  // Its answers to what was asked before are not waited for: the next transaction begins with a helper of its own.
  helpers_->end_mover();
}

}  // namespace wtpool::git
