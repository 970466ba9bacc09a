#include "daemon/git/source/patch_search.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

constexpr int kLookedAt = 5000;
constexpr std::size_t kAncestries = 100;  // pairs of a commit that has the change and one that takes it back
using Files = std::set<std::string>;
using Ids = std::vector<std::string>;

Ids plus(Ids arguments, const Ids& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The same plumbing for both sides, so that equal changes give equal text.
const Ids kPlain = {"-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"};
const Ids kOfCommits = {"--stdin", "--root", "--diff-merges=first-parent"};

Files files_between(const ObjectRoom& room, const Oid& base, const Oid& tip) {
  const auto names =
      split(room.must(plus(plus({"diff-tree", "-z", "--name-only"}, kPlain), {base.str(), tip.str(), "--"})), '\0');
  return {names.begin(), names.end()};
}

// Commits that change a file. One of the branch's files is enough to find every commit that changes all of them, and the one
// that lies deepest is changed most rarely.
Ids commits_that_change(const ObjectRoom& room, const Oid& base, const Oid& target, const Files& files) {
  const auto rarest = std::max_element(files.begin(), files.end(),
                                       [](const auto& one, const auto& other) { return one.size() < other.size(); });
  Ids commits;
  std::set<std::string> known;
  for (const auto& which : {Ids{"--full-history", "--no-merges"}, Ids{"--first-parent", "--merges"}}) {
    const auto listed = room.must(plus(plus({"rev-list", "--topo-order", "--max-count=" + std::to_string(kLookedAt)}, which),
                                       {base.str() + ".." + target.str(), "--", ":(literal,top)" + *rarest}));
    for (auto& id : split(listed, '\n')) {
      if (known.insert(id).second) commits.push_back(std::move(id));
    }
  }
  return commits;
}

std::string lines(const Ids& ids) {
  std::string text;
  for (const auto& id : ids) text += id + "\n";
  return text;
}

// Those of `commits` that change exactly these files.
Ids that_change_exactly(const ObjectRoom& room, const Ids& commits, const Files& files) {
  if (commits.empty()) return {};
  const auto fields =
      split(room.must(plus(plus({"diff-tree", "-z", "--name-only"}, kPlain), kOfCommits), lines(commits)), '\0');
  const std::set<std::string> ids(commits.begin(), commits.end());
  std::map<std::string, Files> changed;
  std::string commit;
  for (const auto& field : fields) {
    if (ids.contains(field)) {
      commit = field;
    } else if (!commit.empty()) {
      changed[commit].insert(field);
    }
  }
  Ids exact;
  for (const auto& id : commits) {
    const auto found = changed.find(id);
    if (found != changed.end() && found->second == files) exact.push_back(id);
  }
  return exact;
}

const Ids kPatch = {"-p", "--full-index", "--unified=3"};

std::string patch_between(const ObjectRoom& room, const Oid& from, const Oid& to) {
  return room.must(plus(plus(plus({"diff-tree"}, kPlain), kPatch), {from.str(), to.str(), "--"}));
}

// Which of `commits`, with the patches of `text`, has which patch id.
std::map<std::string, std::string> patch_ids(const ObjectRoom& room, const std::string& text) {
  std::map<std::string, std::string> ids;
  for (const auto& line : split(room.must({"patch-id", "--verbatim"}, text), '\n')) {
    const auto space = line.find(' ');
    if (space != std::string::npos) ids.emplace(line.substr(space + 1), line.substr(0, space));
  }
  return ids;
}

// Is there one that has the change and comes after each that takes it back?
bool stands(const ObjectRoom& room, const Ids& bring, const Ids& take_back) {
  if (bring.size() * take_back.size() > kAncestries) return false;
  return std::any_of(bring.begin(), bring.end(), [&](const auto& one) {
    return std::all_of(take_back.begin(), take_back.end(), [&](const auto& other) {
      return room.run({"merge-base", "--is-ancestor", other, one}).ok();
    });
  });
}

}  // namespace

bool has_whole_change(const ObjectRoom& room, const Oid& base, const Oid& tip, const Oid& target) {
  const auto files = files_between(room, base, tip);
  if (files.empty()) return false;
  const auto exact = that_change_exactly(room, commits_that_change(room, base, target, files), files);
  if (exact.empty()) return false;

  // `base` and `tip` are no commits of base..target: their ids stand for the change and for its opposite.
  const auto text = tip.str() + "\n" + patch_between(room, base, tip) + base.str() + "\n" + patch_between(room, tip, base) +
                    room.must(plus(plus(plus({"diff-tree"}, kPlain), kPatch), kOfCommits), lines(exact));
  const auto ids = patch_ids(room, text);
  const auto whole = ids.find(tip.str());
  const auto opposite = ids.find(base.str());
  if (whole == ids.end()) return false;
  Ids bring, take_back;
  for (const auto& commit : exact) {
    const auto found = ids.find(commit);
    if (found == ids.end()) continue;
    if (found->second == whole->second) bring.push_back(commit);
    if (opposite != ids.end() && found->second == opposite->second) take_back.push_back(commit);
  }
  return stands(room, bring, take_back);
}

}  // namespace wtpool::git
