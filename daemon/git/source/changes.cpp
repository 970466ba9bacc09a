#include "daemon/git/source/changes.hpp"

#include <optional>

#include "daemon/git/files/text.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::git {
namespace {

// Of the source's helper, which knows the two trees from the last time; nothing when it cannot be had.
std::optional<std::string> changes_by_helper(const Git& slot, const Oid& from, const Oid& to) {
  const auto& helpers = slot.context().helpers;
  if (!helpers) return std::nullopt;
  const auto trees = ids_of(slot, {from.str() + "^{tree}", to.str() + "^{tree}"});
  if (!trees[0] || !trees[1]) return std::nullopt;
  return helpers->changes(trees[0]->str(), trees[1]->str());
}

std::string changes_by_git(const Git& slot, const Oid& from, const Oid& to) {
  Command command;
  command.arguments = {
      "diff-tree", "-r",     "-z", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none",
      from.str(),  to.str(), "--"};
  command.output_limit = kWholeTree;
  return slot.must(command);
}

}  // namespace

std::vector<Change> changes_between(const Git& slot, const Oid& from, const Oid& to) {
  const auto helped = changes_by_helper(slot, from, to);
  const std::vector<std::string> fields = split(helped ? *helped : changes_by_git(slot, from, to), '\0');
  std::vector<Change> changes;
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].size() < 14) continue;
    changes.push_back(
        {fields[i + 1], fields[i].substr(1, 6), fields[i].substr(8, 6), fields[i].substr(15, fields[i].find(' ', 15) - 15)});
  }
  return changes;
}

}  // namespace wtpool::git
