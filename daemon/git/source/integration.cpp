#include "daemon/git/source/integration.hpp"

#include <list>
#include <map>
#include <mutex>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/object_room.hpp"
#include "daemon/git/source/patch_search.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::git {
namespace {

using proto::MergedWay;

// What is known of two ids holds for good. Any thread.
template <class Value>
class Answers {
 public:
  std::optional<Value> of(const Pair& pair) {
    const std::lock_guard guard(mutex_);
    const auto found = known_.find(pair);
    if (found == known_.end()) return std::nullopt;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }
  void keep(const Pair& pair, const Value& value) {
    const std::lock_guard guard(mutex_);
    if (known_.contains(pair)) return;
    order_.emplace_front(pair, value);
    known_[pair] = order_.begin();
    if (order_.size() <= kMost) return;
    known_.erase(order_.back().first);
    order_.pop_back();
  }
  void forget() {
    const std::lock_guard guard(mutex_);
    known_.clear();
    order_.clear();
  }

 private:
  static constexpr std::size_t kMost = 16384;
  std::mutex mutex_;
  std::list<std::pair<Pair, Value>> order_;  // used last first
  std::map<Pair, typename std::list<std::pair<Pair, Value>>::iterator> known_;
};

Answers<Counts>& known_counts() {
  static Answers<Counts> answers;
  return answers;
}
Answers<Standing>& known_standings() {
  static Answers<Standing> answers;
  return answers;
}

// History that ends early may be made longer, and then two ids have another answer.
bool is_whole(const Git& source) { return !lstat_of(std::filesystem::path(source.place().git_dir) / "shallow"); }

// What is asked of one pair until its answer stands.
struct Inquiry {
  Pair pair;
  Counts counts;
  std::vector<Oid> bases;
  std::optional<Oid> tip_tree, target_tree, base_tree;
  bool answered = false;
  std::optional<Standing> standing;

  void answer(std::optional<MergedWay> way) {
    answered = true;
    standing = Standing{counts, way};
  }
  void not_known() { answered = true; }
};
using Inquiries = std::vector<Inquiry>;

std::optional<std::vector<Oid>> merge_bases(const Git& source, const Pair& pair) {
  Command command;
  command.arguments = {"merge-base", "--all", pair.target.str(), pair.tip.str()};
  const auto result = source.run(command);
  if (!result.ok() && result.exit_code != 1) return std::nullopt;  // 1: there is none
  std::vector<Oid> bases;
  for (const auto& line : split(result.output, '\n')) {
    if (auto oid = oid_from(line)) bases.push_back(*oid);
  }
  return bases;
}

// same_commit, ancestor; else where the two met last.
void ask_history(const Git& source, Inquiry& one) {
  if (one.pair.tip == one.pair.target) return one.answer(MergedWay::same_commit);
  const auto found = counts(source, one.pair.tip, one.pair.target);
  if (!found) return one.not_known();
  one.counts = *found;
  if (found->ahead == 0) return one.answer(MergedWay::ancestor);
  if (found->behind == 0) {
    one.bases = {one.pair.target};
    return;
  }
  const auto bases = merge_bases(source, one.pair);
  if (!bases) return one.not_known();
  one.bases = *bases;
  if (bases->empty()) one.answer(std::nullopt);  // unrelated histories
}

// no_added_changes, trees_match. With several merge bases only a merge can tell what was added.
void ask_trees(const Git& source, Inquiries& inquiries) {
  std::vector<std::string> questions;
  std::vector<std::optional<Oid>*> places;
  for (auto& one : inquiries) {
    if (one.answered) continue;
    questions.push_back(one.pair.tip.str() + "^{tree}");
    places.push_back(&one.tip_tree);
    questions.push_back(one.pair.target.str() + "^{tree}");
    places.push_back(&one.target_tree);
    if (one.bases.size() != 1) continue;
    questions.push_back(one.bases.front().str() + "^{tree}");
    places.push_back(&one.base_tree);
  }
  if (questions.empty()) return;
  const auto ids = ids_of(source, questions);
  for (std::size_t i = 0; i < places.size(); ++i) *places[i] = ids[i];
  for (auto& one : inquiries) {
    if (one.answered) continue;
    if (!one.tip_tree || !one.target_tree || (one.bases.size() == 1 && !one.base_tree)) {
      one.not_known();
    } else if (one.tip_tree == one.base_tree) {
      one.answer(MergedWay::no_added_changes);
    } else if (one.tip_tree == one.target_tree) {
      one.answer(MergedWay::trees_match);
    } else if (one.counts.behind == 0) {
      one.answer(std::nullopt);  // the merge would be the tip itself
    }
  }
}

struct Merge {
  bool clean = false;
  Oid tree;
};

// One record a pair: "1" or "0", the tree, the paths that conflict, an empty field.
std::vector<Merge> merges_in(const std::string& output) {
  std::vector<Merge> merges;
  const auto fields = split(output, '\0');
  for (std::size_t i = 0; i + 1 < fields.size(); ++i) {
    const auto tree = oid_from(fields[i + 1]);
    if (!tree) break;
    const bool clean = fields[i] == "1";
    for (i += 2; i < fields.size() && !fields[i].empty();) ++i;
    if (i >= fields.size()) break;  // cut off
    merges.push_back({clean, *tree});
  }
  return merges;
}

// merge_adds_nothing; what is left open did not merge cleanly. git answers when its input ends, and ends at a pair that it
// cannot merge: that one is not known, and the rest is asked again.
void ask_merges(const ObjectRoom& room, std::vector<Inquiry*> open) {
  while (!open.empty()) {
    std::string input;
    for (const auto* one : open) input += one->pair.target.str() + " " + one->pair.tip.str() + "\n";
    const auto result = room.run({"merge-tree", "--stdin", "--name-only", "--no-messages"}, input);
    const auto merges = merges_in(result.output);
    for (std::size_t i = 0; i < merges.size() && i < open.size(); ++i) {
      if (!merges[i].clean) continue;
      const bool nothing = merges[i].tree == open[i]->target_tree;
      open[i]->answer(nothing ? std::optional(MergedWay::merge_adds_nothing) : std::nullopt);
    }
    if (merges.size() >= open.size()) return;
    open[merges.size()]->not_known();
    open.erase(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(merges.size()) + 1);
  }
}

void ask_patch(const ObjectRoom& room, Inquiry& one) {
  if (one.bases.size() != 1) return one.answer(std::nullopt);
  try {
    const bool found = has_whole_change(room, one.bases.front(), one.pair.tip, one.pair.target);
    one.answer(found ? std::optional(MergedWay::patch_id) : std::nullopt);
  } catch (const proto::Error& error) {
    if (error.kind == proto::ErrorKind::cancelled) throw;
    one.not_known();
  }
}

std::vector<Inquiry*> open_of(Inquiries& inquiries) {
  std::vector<Inquiry*> open;
  for (auto& one : inquiries) {
    if (!one.answered) open.push_back(&one);
  }
  return open;
}

}  // namespace

std::optional<Counts> counts(const Git& source, const Oid& tip, const Oid& target) {
  if (tip == target) return Counts{};
  const bool whole = is_whole(source);
  if (const auto known = whole ? known_counts().of({tip, target}) : std::nullopt) return known;
  Command command;
  command.arguments = {"rev-list", "--left-right", "--count", tip.str() + "..." + target.str(), "--"};
  const auto result = source.run(command);
  const auto tab = result.output.find('\t');
  if (!result.ok() || tab == std::string::npos) return std::nullopt;
  const Counts counted{std::stoll(result.output), std::stoll(result.output.substr(tab + 1))};
  if (whole) known_counts().keep({tip, target}, counted);
  return counted;
}

std::vector<std::optional<Standing>> compare(const Git& source, const std::vector<Pair>& pairs) {
  const bool whole = is_whole(source);
  std::map<Pair, std::optional<Standing>> answers;
  Inquiries inquiries;
  for (const auto& pair : pairs) {
    const auto [at, added] = answers.try_emplace(pair);
    if (!added) continue;
    if (whole) at->second = known_standings().of(pair);
    if (!at->second) inquiries.push_back({pair, {}, {}, {}, {}, {}, false, {}});
  }
  for (auto& one : inquiries) ask_history(source, one);
  ask_trees(source, inquiries);
  if (auto open = open_of(inquiries); !open.empty()) {
    const ObjectRoom room(source, open.front()->pair.tip);
    ask_merges(room, std::move(open));
    for (auto* one : open_of(inquiries)) ask_patch(room, *one);
  }
  for (const auto& one : inquiries) {
    answers[one.pair] = one.standing;
    if (whole && one.standing) known_standings().keep(one.pair, *one.standing);
  }
  std::vector<std::optional<Standing>> result;
  for (const auto& pair : pairs) result.push_back(answers[pair]);
  return result;
}

void forget_comparisons() {
  known_counts().forget();
  known_standings().forget();
}

}  // namespace wtpool::git
