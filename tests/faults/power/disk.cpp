#include "tests/faults/power/disk.hpp"

#include <algorithm>

namespace wtpool::test::power {
namespace {

using Kind = Effect::Kind;

bool changes_names(const Effect& effect) {
  return effect.kind == Kind::make || effect.kind == Kind::link || effect.kind == Kind::rename || effect.kind == Kind::unlink;
}
bool changes_content(const Effect& effect) { return effect.kind == Kind::write || effect.kind == Kind::truncate; }

// What must be on the disk at a moment, whatever chance says.
class Promised {
 public:
  Promised(const std::vector<Effect>& effects, const Schedule& schedule) : effects_(effects), names_(schedule.moment, false) {
    for (std::size_t at = 0; at < schedule.moment; ++at) {
      const Effect& effect = effects[at];
      if (changes_names(effect)) note_names(at);
      if (changes_content(effect)) changed_[effect.inode] = at;
      if (effect.kind == Kind::make) directories_[effect.inode] = effect.node == Node::Kind::directory;
      if (effect.kind == Kind::write_out) written_out_[effect.inode] = {effect.covers, at};
      if (effect.kind == Kind::sync && heeds(schedule.syncs, effect.inode)) sync(effect.inode, effect.covers);
      if (effect.kind == Kind::sync_all && schedule.syncs == Syncs::all) sync_all(effect.covers);
    }
  }

  // Changes of names before this one, under the law of order.
  [[nodiscard]] std::size_t journal() const { return journal_; }
  // Under the loose law: is this change of the name in `parent` safe?
  [[nodiscard]] bool name(std::size_t at, Inode parent) const {
    const auto synced = directory_covers_.find(parent);
    return names_[at] || (synced != directory_covers_.end() && at < synced->second);
  }
  [[nodiscard]] bool content(std::size_t at, Inode inode) const {
    const auto synced = content_covers_.find(inode);
    return synced != content_covers_.end() && at < synced->second;
  }

 private:
  [[nodiscard]] bool heeds(Syncs syncs, Inode inode) const {
    const auto known = directories_.find(inode);
    const bool directory = known == directories_.end() ? inode_is_old_directory(inode) : known->second;
    return syncs == Syncs::all || (syncs == Syncs::files_only && !directory) || (syncs == Syncs::directories_only && directory);
  }
  // One that was there from the start is a directory if names were made in it; for the others it makes no difference.
  [[nodiscard]] bool inode_is_old_directory(Inode inode) const { return holds_names_.contains(inode); }

  void note_names(std::size_t at) {
    const Effect& effect = effects_[at];
    changed_[effect.parent] = at;
    changed_[effect.inode] = at;
    holds_names_[effect.parent] = true;
    if (effect.kind == Kind::rename) {
      changed_[effect.new_parent] = at;
      holds_names_[effect.new_parent] = true;
    }
    if (effect.kind != Kind::unlink) named_[effect.inode] = at;
  }

  void sync(Inode inode, std::size_t covers) {
    if (const auto last = changed_.find(inode); last != changed_.end()) {
      // A change that came while it was syncing may or may not be in; the ones before are.
      journal_ = std::max(journal_, std::min(last->second + 1, covers));
    }
    content_covers_[inode] = std::max(content_covers_[inode], covers);
    directory_covers_[inode] = std::max(directory_covers_[inode], covers);
    for (const auto& [other, out] : written_out_)
      if (out.second < covers) content_covers_[other] = std::max(content_covers_[other], out.first);
    keep_name_of(inode, covers);
  }

  void sync_all(std::size_t covers) {
    journal_ = std::max(journal_, covers);
    std::fill(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(std::min(covers, names_.size())), true);
    for (const auto& [inode, at] : changed_) content_covers_[inode] = std::max(content_covers_[inode], covers);
  }

  void keep_name_of(Inode inode, std::size_t covers) {
    for (auto named = named_.find(inode); named != named_.end() && named->second < covers && !names_[named->second];
         named = named_.find(inode)) {
      names_[named->second] = true;
      const Effect& effect = effects_[named->second];
      inode = effect.kind == Kind::rename ? effect.new_parent : effect.parent;
    }
  }

  const std::vector<Effect>& effects_;
  std::size_t journal_ = 0;
  std::vector<bool> names_;
  std::map<Inode, std::size_t> changed_, named_, content_covers_, directory_covers_;
  std::map<Inode, std::pair<std::size_t, std::size_t>> written_out_;  // covers, and when it had ended
  std::map<Inode, bool> directories_, holds_names_;
};

class Chance {
 public:
  explicit Chance(std::mt19937& source) : source_(source) {
    static constexpr double kMoods[] = {0, 0, 0.1, 0.5, 0.9, 1};
    keep_ = kMoods[below(std::size(kMoods))];
  }
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(source_); }
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
  // By this schedule's mood.
  bool keeps() { return std::bernoulli_distribution(keep_)(source_); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::mt19937& source_;
  double keep_ = 0;
};

// What became of one file's content that nobody synced.
struct Fate {
  enum { whole, beginning, zeros } of = whole;
  std::size_t left = 0;  // of `beginning`: how many more changes survive
};

void lose_some(Tree& tree, const Effect& effect, Fate& fate, Chance& chance) {
  Effect survivor = effect;
  if (fate.of == Fate::zeros) {
    std::fill(survivor.bytes.begin(), survivor.bytes.end(), '\0');
  } else if (fate.of == Fate::beginning) {
    if (fate.left == 0) return;
    if (--fate.left == 0 && !survivor.bytes.empty()) survivor.bytes.resize(chance.below(survivor.bytes.size()));
  }
  if (survivor.kind == Kind::write && survivor.bytes.empty()) return;
  apply(tree, survivor);
}

// Under the loose law the two halves of a rename may have different fates.
void apply_names(Tree& tree, const Effect& effect, bool old_half, bool new_half) {
  Effect half = effect;
  if (effect.kind != Kind::rename || (old_half && new_half)) {
    if (old_half) return apply(tree, effect);
    // A file without a name has content all the same: a later link or rename may still give it one.
    if (effect.kind == Kind::make) {
      if (effect.inode >= tree.nodes.size()) tree.nodes.resize(effect.inode + 1);
      tree.nodes[effect.inode].kind = effect.node;
      tree.nodes[effect.inode].mode = effect.mode;
      if (effect.node == Node::Kind::symlink) tree.nodes[effect.inode].data = effect.bytes;
    }
    return;
  }
  half.kind = old_half ? Kind::unlink : Kind::link;
  if (new_half) {
    half.parent = effect.new_parent;
    half.name = effect.new_name;
  }
  if (old_half || new_half) apply(tree, half);
}

}  // namespace

Tree after_power_loss(const Tree& base, const std::vector<Effect>& effects, Schedule schedule) {
  const Promised promised(effects, schedule);
  Chance chance(schedule.chance);
  const std::size_t least = promised.journal();
  const std::size_t journal = chance.one_in(3)   ? least
                              : chance.one_in(2) ? schedule.moment
                                                 : chance.between(least, schedule.moment);
  std::map<Inode, std::size_t> pending;
  for (std::size_t at = 0; at < schedule.moment; ++at)
    if (changes_content(effects[at]) && !promised.content(at, effects[at].inode)) ++pending[effects[at].inode];
  std::map<Inode, Fate> fates;
  for (const auto& [inode, count] : pending) {
    Fate& fate = fates[inode];
    if (chance.keeps()) continue;
    fate.of = chance.one_in(4) ? Fate::zeros : Fate::beginning;
    fate.left = chance.one_in(2) ? 0 : chance.between(0, count);
  }

  Tree tree = base;
  for (std::size_t at = 0; at < schedule.moment; ++at) {
    const Effect& effect = effects[at];
    if (changes_names(effect)) {
      const bool by_order = schedule.law == Law::ordered;
      const bool kept = by_order ? at < journal : chance.keeps();
      const bool old_half = kept || (!by_order && promised.name(at, effect.parent));
      const bool new_half =
          effect.kind == Kind::rename ? kept || (!by_order && promised.name(at, effect.new_parent)) : old_half;
      apply_names(tree, effect, old_half, new_half);
    } else if (changes_content(effect)) {
      if (promised.content(at, effect.inode)) {
        apply(tree, effect);
      } else {
        lose_some(tree, effect, fates[effect.inode], chance);
      }
    } else {
      apply(tree, effect);
    }
  }
  return tree;
}

}  // namespace wtpool::test::power
