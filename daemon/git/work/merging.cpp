#include "daemon/git/work/merging.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/clock.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::git {
namespace {

using proto::Error;
using proto::ErrorKind;
using proto::LandStyle;

std::string say(const Git& place, std::vector<std::string> arguments) {
  Command command;
  command.arguments = std::move(arguments);
  command.output_limit = kWholeTree;
  return place.must(command);
}

std::vector<std::string> lines_of(const Git& place, std::vector<std::string> arguments) {
  return split(say(place, std::move(arguments)), '\n');
}

std::int64_t number_in(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_ancestor(const Git& place, const Oid& ancestor, const Oid& of) {
  Command command;
  command.arguments = {"merge-base", "--is-ancestor", ancestor.str(), of.str()};
  const ChildResult result = place.run(command);
  if (result.exit_code > 1) (void)place.must(command);
  return result.ok();
}

// Then a fast-forward keeps `git log --first-parent` of the target its own history.
bool on_first_parent_line(const Git& place, const Oid& target, const Oid& tip) {
  const auto chain = lines_of(place, {"rev-list", "--first-parent", "--parents", target.str() + ".." + tip.str(), "--"});
  if (chain.empty()) return false;
  const auto words = split(chain.back(), ' ');
  return words.size() > 1 && words[1] == target.str();
}

Oid tree_of(const Git& place, const Oid& commit) {
  const auto tree = ids_of(place, {commit.str() + "^{tree}"})[0];
  if (!tree) throw Error(ErrorKind::git_failed, "cannot read commit " + commit.str());
  return *tree;
}

// You, as configured; else the committer of the tip: an agent whose name is in his environment alone commits with that.
std::string ident(const Git& place, const char* variable, const Oid& tip) {
  Command ask;
  ask.arguments = {"var", variable};
  if (const ChildResult said = place.run(ask); said.ok()) return trimmed(said.output);
  return trimmed(say(place, {"log", "-1", "--format=%cn <%ce>", tip.str(), "--"})) + " " + std::to_string(wall_now()) +
         " +0000";
}

std::string whole_lines(std::string text) {
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Oid commit_of_own(const Git& place, const TreeMerger& merger, const Oid& tree, const std::vector<Oid>& parents,
                  const std::string& message, const Oid& tip) {
  std::string raw = "tree " + tree.str() + "\n";
  for (const Oid& parent : parents) raw += "parent " + parent.str() + "\n";
  raw += "author " + ident(place, "GIT_AUTHOR_IDENT", tip) + "\ncommitter " + ident(place, "GIT_COMMITTER_IDENT", tip) + "\n\n";
  return merger.write_commit(raw + whole_lines(message));
}

// A commit object in parts: what is kept of it when it is put on another parent.
struct RawCommit {
  Oid id;
  Oid tree;
  std::vector<Oid> parents;
  std::string author;  // the header lines as they were; a signature would not fit any more
  std::string encoding;
  std::string message;
};

RawCommit raw_commit(const Git& place, const Oid& id) {
  const std::string text = say(place, {"cat-file", "commit", id.str()});
  RawCommit raw;
  raw.id = id;
  const std::size_t body = std::min(text.find("\n\n"), text.size());
  for (const std::string& line : split(std::string_view(text).substr(0, body), '\n')) {
    if (line.starts_with("tree ")) raw.tree = Oid(line.substr(5));
    if (line.starts_with("parent ")) raw.parents.emplace_back(line.substr(7));
    if (line.starts_with("author ")) raw.author = line + "\n";
    if (line.starts_with("encoding ")) raw.encoding = line + "\n";
  }
  if (body < text.size()) raw.message = text.substr(body + 2);
  return raw;
}

class Rebase {
 public:
  Rebase(const Git& place, const TreeMerger& merger, const MergeRequest& request)
      : place_(place), merger_(merger), request_(request), at_(request.target), tree_(tree_of(place, request.target)) {}

  Candidate run() {
    Candidate made;
    for (const std::string& id : lines_of(place_, {"rev-list", "--reverse", "--topo-order", "--no-merges", "--cherry-pick",
                                                   "--right-only", request_.target.str() + "..." + request_.tip.str(), "--"})) {
      const RawCommit commit = raw_commit(place_, Oid(id));
      made.conflicts = replay(commit);
      if (!made.conflicts.empty()) return made;
    }
    if (at_ == request_.target) {
      made.nothing = true;
    } else {
      made.commit = at_;
    }
    return made;
  }

 private:
  std::vector<Conflict> replay(const RawCommit& commit) {
    if (commit.parents == std::vector<Oid>{at_}) {  // it stands there already
      at_ = commit.id;
      tree_ = commit.tree;
      return {};
    }
    const Oid base = commit.parents.empty() ? empty_tree() : tree_of(place_, commit.parents.front());
    Oid tree = commit.tree;
    if (base != tree_) {
      MergedTrees merged = merger_.merge_on(base, tree_, commit.tree);
      if (!merged.conflicts.empty()) return std::move(merged.conflicts);
      tree = merged.tree;
    }
    const bool became_empty = tree == tree_ && commit.tree != base;
    if (became_empty) return {};
    if (committer_.empty()) committer_ = ident(place_, "GIT_COMMITTER_IDENT", request_.tip);
    at_ = merger_.write_commit("tree " + tree.str() + "\nparent " + at_.str() + "\n" + commit.author + "committer " +
                               committer_ + "\n" + commit.encoding + "\n" + commit.message);
    tree_ = tree;
    return {};
  }

  Oid empty_tree() const {
    Command write;
    write.arguments = {"hash-object", "-w", "-t", "tree", "--stdin"};
    return Oid(trimmed(place_.must(write)));
  }

  const Git& place_;
  const TreeMerger& merger_;
  const MergeRequest& request_;
  Oid at_;
  Oid tree_;
  std::string committer_;
};

}  // namespace

std::string squash_message(const Git& place, const MergeRequest& request) {
  const std::string range = request.target.str() + ".." + request.tip.str();
  const auto commits = lines_of(place, {"rev-list", "--reverse", "--topo-order", "--no-merges", range, "--"});
  if (commits.size() == 1) return whole_lines(trimmed(say(place, {"log", "-1", "--format=%B", commits[0], "--"})));
  std::string message = request.name + "\n\n";
  for (const std::string& subject :
       lines_of(place, {"log", "--reverse", "--topo-order", "--no-merges", "--format=* %s", range, "--"}))
    message += subject + "\n";
  return message;
}

Candidate make_candidate(const Git& place, const MergeRequest& request) {
  Candidate made;
  made.commits = number_in(trimmed(say(place, {"rev-list", "--count", request.target.str() + ".." + request.tip.str(), "--"})));
  if (made.commits == 0) {
    made.nothing = true;
    return made;
  }
  if (request.style == LandStyle::merge && on_first_parent_line(place, request.target, request.tip)) {
    made.commit = request.tip;
    return made;
  }
  const TreeMerger merger(place, request.target, request.tip, request.drivers);
  if (request.style == LandStyle::rebase) {
    Candidate rebased = Rebase(place, merger, request).run();
    rebased.commits = made.commits;
    return rebased;
  }
  // Where the tip has the target in it there is nothing to merge.
  MergedTrees merged;
  if (is_ancestor(place, request.target, request.tip)) {
    merged.tree = tree_of(place, request.tip);
  } else {
    merged = merger.merge(request.target, request.tip);
  }
  made.conflicts = std::move(merged.conflicts);
  if (!made.conflicts.empty()) return made;
  if (request.style == LandStyle::squash) {
    made.nothing = merged.tree == tree_of(place, request.target);
    if (made.nothing) return made;
    const std::string message = request.message ? *request.message : squash_message(place, request);
    made.commit = commit_of_own(place, merger, merged.tree, {request.target}, message, request.tip);
    return made;
  }
  made.commit = commit_of_own(place, merger, merged.tree, {request.target, request.tip},
                              "Merge branch '" + request.name + "' into " + request.target_name, request.tip);
  return made;
}

}  // namespace wtpool::git
