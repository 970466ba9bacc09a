// The grafts of a slot or a directory, with their root kept in step. The caller's job has the slot.
#pragma once

#include "daemon/jobs/slot/job.hpp"
#include "daemon/store/graft.hpp"

namespace wtpool::jobs {

// What grafts go into: a slot, or a directory that is none.
struct GraftedPlace {
  store::Place place;
  std::filesystem::path root_file;
  disk::RootRecord whose;  // without grafts
};
// `tree` is git in the slot, and outlives it.
[[nodiscard]] GraftedPlace grafted_slot(const JobContext& job, const git::Git* tree);
// `directory` is a real path. In a repository git is asked there, as it is in slots.
[[nodiscard]] GraftedPlace grafted_directory(const JobContext& job, const std::filesystem::path& directory);

struct Placing {
  std::string key;
  std::string into;  // relative to the place
  store::GraftMode mode = store::GraftMode::link;
  store::GraftRules rules;
  std::string dep;
};
struct Placed {
  disk::Graft graft;
  std::vector<std::string> warnings;
};
// The entry must be there, and pinned. Throws store_refused, with every path named, for what git would show.
[[nodiscard]] Placed place_graft(const JobContext& job, const GraftedPlace& at, const Placing& what);

// Of an idle slot that is acquired: the grafts come to the commit's KEYs, a thawed copy of the last holder's does not stay.
struct DepsPlaced {
  std::vector<std::string> missing;  // names
  std::vector<std::string> warnings;
};
[[nodiscard]] DepsPlaced bring_grafts(const JobContext& job, const std::vector<core::WantedDep>& deps, const git::Git& tree,
                                      const core::Lease& lease);

// After a clean: the links that went are there again.
void put_links_back(const JobContext& job);
// Of a slot that is taken away.
void end_roots(const JobContext& job);

}  // namespace wtpool::jobs
