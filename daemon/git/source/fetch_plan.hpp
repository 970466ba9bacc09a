// What to ask a remote for, so that it brings what is wanted and lists no more: refspecs, made of the commits as they were
// asked for. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/core/state/wants.hpp"
#include "proto/ids.hpp"

namespace wtpool::git {

// Where what was fetched by id or by full ref name stands.
inline constexpr std::string_view kFetched = "refs/wtpool/fetched/";

// A remote as its refs are named here.
struct RemoteRefs {
  std::string name;
  std::string branches;  // its branches stand below this: `refs/remotes/origin/`
};

struct FetchPlan {
  struct OfRemote {
    std::set<Oid> ids;  // with a refspec each, since a remote may refuse one
    std::vector<std::string> refspecs;
  };
  std::map<std::string, OfRemote> remotes;
  bool all = false;  // something is wanted that no refspec says: `HEAD`, an expression that is no name
};

// `own_tags`: tags go to refs/tags, as in a mirror; else to refs/wtpool/fetched/refs/tags, so that no tag of the user's moves.
// The first remote is the one that a plain name means.
[[nodiscard]] FetchPlan plan_fetch(const core::Wants& wants, const std::vector<RemoteRefs>& remotes, bool own_tags);

// The refspec by which an id is fetched.
[[nodiscard]] std::string refspec_of(const Oid& id);

// What a commit that was asked for may be called after a fetch, in the order in which it is looked for: itself, then
// `refs/remotes/origin/X`, then what was fetched by full name.
[[nodiscard]] std::vector<std::string> readings_of(const std::string& commit);

}  // namespace wtpool::git
