#include "daemon/git/work/merge_trees.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "daemon/git/files/text.hpp"
#include "daemon/git/source/changes.hpp"

namespace wtpool::git {
namespace {

// Exit codes of merge-tree: 0 merged, 1 conflicts; all others are errors.
constexpr int kConflicts = 1;

// git's own merge of text as a driver: same result as without one, and its exit code says whether there are conflicts. (A
// driver that is empty would be taken for one that merged everything.)
constexpr const char* kTextMerge = "exec git merge-file -q --marker-size=%L %A %O %B";

std::vector<std::pair<std::string, std::string>> without_drivers(const Git& place, const std::vector<std::string>& allowed) {
  Command ask;
  ask.arguments = {"config", "-z", "--name-only", "--get-regexp", "^merge\\..+\\.driver$"};
  const ChildResult listed = place.run(ask);  // 1: there is none
  std::vector<std::pair<std::string, std::string>> pairs = {{"merge.renormalize", "false"}};
  if (!listed.ok() && listed.exit_code != 1) (void)place.must(ask);
  for (const std::string& key : split(listed.output, '\0')) {
    if (key.size() < 14) continue;
    const std::string driver = key.substr(6, key.size() - 13);
    if (std::find(allowed.begin(), allowed.end(), driver) == allowed.end()) pairs.emplace_back(key, kTextMerge);
  }
  std::vector<std::pair<std::string, std::string>> environment = {{"GIT_CONFIG_COUNT", std::to_string(pairs.size())}};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    environment.emplace_back("GIT_CONFIG_KEY_" + std::to_string(i), pairs[i].first);
    environment.emplace_back("GIT_CONFIG_VALUE_" + std::to_string(i), pairs[i].second);
  }
  return environment;
}

// Of `-z` output: <tree> NUL (<mode> <oid> <stage> TAB <path> NUL)* NUL (<n> NUL <path> NUL ... <kind> NUL <message> NUL)*.
MergedTrees read_merge(const std::string& output) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\0', at), output.size());
    fields.push_back(output.substr(at, end - at));
    at = end + 1;
  }
  MergedTrees merged;
  if (fields.empty()) return merged;
  merged.tree = Oid(trimmed(fields.front()));
  std::map<std::string, std::string> kinds;
  std::size_t i = 1;
  for (; i < fields.size() && !fields[i].empty(); ++i) {
    if (const std::size_t tab = fields[i].find('\t'); tab != std::string::npos) kinds.try_emplace(fields[i].substr(tab + 1));
  }
  for (++i; i < fields.size();) {
    std::size_t count = 0;
    const std::string& number = fields[i];
    std::from_chars(number.data(), number.data() + number.size(), count);
    if (count == 0 || i + count + 1 >= fields.size()) break;
    const std::string& kind = fields[i + count + 1];
    if (kind.starts_with("CONFLICT")) {
      const std::size_t open = kind.find('(');
      const std::string word = open == std::string::npos ? "contents" : kind.substr(open + 1, kind.find(')', open) - open - 1);
      std::string& known = kinds[fields[i + 1]];
      if (known.empty()) known = word;
    }
    i += count + 3;
  }
  for (auto& [path, kind] : kinds) merged.conflicts.push_back({path, kind.empty() ? "contents" : kind});
  return merged;
}

std::set<std::string> paths_between(const Git& place, const Oid& target, const Oid& tip) {
  std::set<std::string> paths;
  for (const Change& change : changes_between(place, target, tip)) paths.insert(change.path);
  return paths;
}

}  // namespace

TreeMerger::TreeMerger(const Git& place, const Oid& target, const Oid& tip, const std::vector<std::string>& drivers)
    : attributes_(place, target, paths_between(place, target, tip)),
      place_(place.with_place(attributes_.place())),
      environment_(without_drivers(place, drivers)) {}

Command TreeMerger::command(std::vector<std::string> arguments) const {
  Command command;
  command.arguments = std::move(arguments);
  command.environment = environment_;
  command.durable = true;
  command.directory = attributes_.directory().string();
  return command;
}

MergedTrees TreeMerger::merge(const Oid& ours, const Oid& theirs) const {
  Command base;
  base.arguments = {"merge-base", ours.str(), theirs.str()};
  if (!place_.run(base).ok()) return {{}, {{".", "no commit in common"}}};
  const Command merge = command({"merge-tree", "--write-tree", "-z", ours.str(), theirs.str()});
  const ChildResult result = place_.run(merge);
  if (result.ok() || result.exit_code == kConflicts) {
    MergedTrees merged = read_merge(result.output);
    if (result.ok()) merged.conflicts.clear();
    if (result.exit_code == kConflicts && merged.conflicts.empty()) merged.conflicts.push_back({".", "contents"});
    return merged;
  }
  return read_merge(place_.must(merge));
}

// git 2.39's merge-tree takes no merge base, and finds one: a commit of ours with that tree, under two others.
MergedTrees TreeMerger::merge_on(const Oid& base_tree, const Oid& our_tree, const Oid& their_tree) const {
  const Oid root = helper_commit(base_tree, nullptr);
  return merge(helper_commit(our_tree, &root), helper_commit(their_tree, &root));
}

Oid TreeMerger::helper_commit(const Oid& tree, const Oid* parent) const {
  std::string raw = "tree " + tree.str() + "\n";
  if (parent != nullptr) raw += "parent " + parent->str() + "\n";
  return write_commit(raw + "author wtpool <> 0 +0000\ncommitter wtpool <> 0 +0000\n\n");
}

Oid TreeMerger::write_commit(std::string raw) const {
  Command write = command({"hash-object", "-w", "-t", "commit", "--stdin"});
  write.input = std::move(raw);
  return Oid(trimmed(place_.must(write)));
}

}  // namespace wtpool::git
