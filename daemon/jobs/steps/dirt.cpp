#include "daemon/jobs/steps/dirt.hpp"

#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/trash/unreachable.hpp"

namespace wtpool::jobs {

Dirt dirt_in(const JobContext& job, const git::Git& slot, const std::string& git_id) {
  auto look = git::look(slot, git::Untracked::all, false);
  for (auto& path : git::hidden_changes(slot, job.entry(git_id).entry.string())) look.changed.push_back(std::move(path));
  auto submodules = git::look_at_submodules(slot);
  look.untracked.insert(look.untracked.end(), submodules.files.begin(), submodules.files.end());
  Dirt dirt;
  dirt.head = look.head;
  dirt.new_files = new_untracked(job, git_id, look.untracked);
  for (const auto& [name, oid] : lone_own_refs(job, git_id)) dirt.own_refs.push_back(name);
  for (const auto& path : submodules.touched) std::erase(look.changed, path);
  dirt.changed = std::move(look.changed);
  dirt.submodules = std::move(submodules.touched);
  return dirt;
}

}  // namespace wtpool::jobs
