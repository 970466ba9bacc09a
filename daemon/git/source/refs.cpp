#include "daemon/git/source/refs.hpp"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/base/clock.hpp"
#include "common/base/timed.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/refs_on_disk.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/stale_locks.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// Every command acts on the very ref it names: a branch that somebody made symbolic never leads a change elsewhere.
constexpr std::string_view kNoDeref{"option no-deref\0", 16};

constexpr std::string_view kKept = "refs/wtpool/";

std::string terminated(std::string_view text) { return std::string(text) + '\0'; }

// In a slot, HEAD and its kind are the slot's own; ids, and refs that all worktrees share, are not.
bool means_the_same_everywhere(const Git& place, const std::vector<std::string>& expressions) {
  if (place.place().source.empty()) return true;
  return std::all_of(expressions.begin(), expressions.end(), [](const std::string& expression) {
    const auto hex = expression.find_first_not_of("0123456789abcdef");
    const bool is_id = (hex == std::string::npos && expression.size() >= 40) ||
                       (hex != std::string::npos && hex >= 40 && expression[hex] == '^');
    return is_id || expression.starts_with("refs/heads/") || expression.starts_with("refs/wtpool/");
  });
}

}  // namespace

void RefTransaction::create(std::string ref, Oid value) {
  if (ref.starts_with(kKept)) keeping_.push_back(ref);
  lines_ += kNoDeref;
  lines_ += terminated("create " + ref) + terminated(value.str());
}

void RefTransaction::update(std::string ref, Oid value, Oid expected) {
  lines_ += kNoDeref;
  lines_ += terminated("update " + ref) + terminated(value.str()) + terminated(expected.str());
}

void RefTransaction::set(std::string ref, Oid value) {
  if (ref.starts_with(kKept)) keeping_.push_back(ref);
  lines_ += kNoDeref;
  lines_ += terminated("update " + ref) + terminated(value.str()) + terminated("");
}

void RefTransaction::remove(std::string ref, Oid expected) {
  lines_ += kNoDeref;
  lines_ += terminated("delete " + ref) + terminated(expected.str());
}

void RefTransaction::detach_head(const std::string& git_id, Oid value) {
  set("worktrees/" + git_id + "/HEAD", std::move(value));
}

namespace {

bool ended_untold(Helpers::Moved moved) { return moved == Helpers::Moved::died || moved == Helpers::Moved::unknown; }

// In the middle of its commit: what has moved is to be seen from the refs alone. Whoever can is to begin again.
proto::Error ended_by_somebody() {
  proto::Error error(proto::ErrorKind::git_failed, "git update-ref ended while it moved refs");
  error.git = proto::GitDetails{{"git", "update-ref", "--stdin"}, 128 + SIGKILL, {}};
  return error;
}

}  // namespace

void RefTransaction::commit(const Git& source) const {
  if (empty()) return;
  move(source);
  sync_names(common_dir_of(source.place()));
}

void RefTransaction::sync_names(const std::string& common_dir) const {
  std::set<fs::path> directories;
  for (const std::string& ref : keeping_)
    for (fs::path at = fs::path(ref).parent_path(); at != "refs"; at = at.parent_path()) directories.insert(at);
  for (const fs::path& directory : directories)
    if (is_directory_no_follow(fs::path(common_dir) / directory)) sync_directory(fs::path(common_dir) / directory);
}

void RefTransaction::move(const Git& source) const {
  // Where a lock of a killed git still is too young to be healed, the helper would only wait for it.
  const auto& helpers = source.context().helpers;
  if (helpers && !heal_shared_locks(common_dir_of(source.place())).young) {
    const std::int64_t started = wall_now();
    const auto moved = helpers->move_refs(lines_);
    if (ended_untold(moved)) remember_killed(common_dir_of(source.place()), started, wall_now());
    if (moved == Helpers::Moved::done) return;
    if (moved == Helpers::Moved::unknown) throw ended_by_somebody();
  }
  // A git of our own says why, or does it after all.
  Command command;
  command.arguments = {"update-ref", "-m", "wtpool", "--stdin", "-z"};
  command.input = terminated("start") + lines_ + terminated("prepare") + terminated("commit");
  command.durable = true;
  source.must(command);
}

RefTransaction::Begun RefTransaction::begin(const Git& source) const {
  const auto started = wall_now();
  const auto& helpers = source.context().helpers;
  return {helpers ? helpers->begin_move(lines_) : std::nullopt, started};
}

bool RefTransaction::finish(const Git& source, Begun begun) {
  if (!begun.move) return false;
  const Timed timed("helper", "update-ref");
  auto moved = begun.move->prepared();
  if (moved == Helpers::Moved::done) moved = begun.move->commit();
  if (ended_untold(moved)) remember_killed(common_dir_of(source.place()), begun.started, wall_now());
  if (moved == Helpers::Moved::unknown) {
    throw proto::Error(proto::ErrorKind::git_failed, "git update-ref ended while it moved refs");
  }
  return moved == Helpers::Moved::done;
}

std::vector<Ref> list_refs(const Git& source, const std::string& prefix) {
  Command command;
  command.arguments = {"for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", "--", prefix};
  std::vector<Ref> refs;
  for (const std::string& line : split(source.must(command), '\n')) {
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    refs.push_back({line.substr(second + 1), Oid(line.substr(0, first)), line.substr(first + 1, second - first - 1)});
  }
  return refs;
}

std::vector<std::optional<Oid>> ids_of(const Git& place, const std::vector<std::string>& expressions) {
  std::vector<std::optional<Oid>> ids(expressions.size());
  Command command;
  command.arguments = {"cat-file", "--batch-check"};
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    // A line is a question; what does not fit in one line has no answer.
    if (expressions[i].empty() || expressions[i].find_first_of(std::string_view("\n\0", 2)) != std::string::npos) continue;
    asked.push_back(i);
    command.input += expressions[i] + "\n";
  }
  if (asked.empty()) return ids;
  std::optional<std::vector<std::string>> helped;
  if (place.context().helpers && means_the_same_everywhere(place, expressions)) {
    std::vector<std::string> questions;
    for (const std::size_t i : asked) questions.push_back(expressions[i]);
    helped = place.context().helpers->check(questions);
  }
  const std::vector<std::string> answers = helped ? std::move(*helped) : split(place.must(command), '\n');
  for (std::size_t i = 0; i < asked.size() && i < answers.size(); ++i) {
    // "<oid> <type> <size>"; anything else repeats the question and ends in "missing" or "ambiguous".
    const std::string& line = answers[i];
    if (line.empty() || line.back() < '0' || line.back() > '9') continue;
    ids[asked[i]] = oid_from(std::string_view(line).substr(0, line.find(' ')));
  }
  return ids;
}

std::vector<std::optional<Oid>> tips_now(const Git& source, const std::vector<std::string>& refs) {
  std::vector<std::optional<Oid>> tips;
  std::vector<std::string> unread;
  auto files = RefFiles::open(common_dir_of(source.place()));
  for (const std::string& ref : refs) {
    tips.push_back(files ? files->value(ref) : std::nullopt);
    // A symbolic one is for git to follow, and so is what is not there.
    if (!tips.back()) unread.push_back(ref);
  }
  const bool all_gone = files && std::none_of(unread.begin(), unread.end(), [&](const auto& ref) { return files->exists(ref); });
  if (unread.empty() || all_gone) return tips;
  Context context = source.context();
  context.helpers = nullptr;
  const auto told = ids_of(Git(source.place(), std::move(context)), unread);
  for (std::size_t i = 0, next = 0; i < tips.size(); ++i) {
    if (!tips[i]) tips[i] = told[next++];
  }
  return tips;
}

}  // namespace wtpool::git
