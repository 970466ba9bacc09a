// The source repository: what it is, what names mean in it, how it gets news.
#pragma once

#include "daemon/core/state/job_specs.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct SourceFacts {
  std::string common_dir;               // real path
  std::optional<std::string> worktree;  // real path of the main working tree; absent when bare
  bool worktree_config = false;         // extensions.worktreeConfig
};

// Lets git itself judge the repository (its ownership rule included). Throws source_missing or source_not_owned, with a hint.
[[nodiscard]] SourceFacts open_source(const std::string& path, const Context& context);

// init's default for default_commit: refs/remotes/origin/HEAD's target, else the current branch, as full ref names. Throws
// commit_unknown when HEAD is detached.
[[nodiscard]] std::string default_commit_of(const SourceFacts& source, const Context& context);

// One snapshot for an acquire: the commit and its tree; refs/heads/<name>; a branch that conflicts as directory and file.
// One or two git processes. An expression with a newline, or one that is empty, is unknown.
[[nodiscard]] core::done::Resolved resolve(const Git& source, const std::string& commit, const std::string& name);

// A branch that git cannot have together with branch `name`: one below it, or one that it would be below.
[[nodiscard]] std::optional<std::string> conflicting_branch(const Git& source, const std::string& name);

// REMOTE/NAME, where a remote has a branch NAME; that of `origin` before others'.
[[nodiscard]] std::optional<std::string> tracking_name_of(const Git& source, const std::string& name);

// See files/checked_out.hpp.
[[nodiscard]] std::optional<std::string> checked_out_at(const SourceFacts& source, const std::string& name,
                                                        const std::string& except = {});

// Takes [branch "NAME"] out of the source's config, if there is such a section and no such branch: whoever made one of that
// name meanwhile has it for his.
void forget_branch_config(const Git& source, const std::string& name);

// Up to `count` first parents from a commit on, itself included.
[[nodiscard]] std::vector<Oid> first_parents(const Git& source, const Oid& from, int count);

// How many commits `tip` has that `base` has not.
[[nodiscard]] std::int64_t commits_ahead(const Git& place, const std::string& tip, const std::string& base);

}  // namespace wtpool::git
