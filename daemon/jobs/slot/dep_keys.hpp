// The KEYs of a pool's deps at a commit. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "daemon/core/state/values.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::jobs {

// Each dep with its KEY and its archive's path filled in; remembered by commit, for as long as the pool's config stays.
class DepKeys {
 public:
  [[nodiscard]] std::vector<core::Dep> at(const git::Git& source, const std::vector<core::Dep>& deps, const Oid& commit);

 private:
  std::mutex mutex_;
  std::map<Oid, std::vector<core::Dep>> known_;
};

// The paths that a KEY is made of: what stands in its {hash:...}.
[[nodiscard]] std::vector<std::string> hashed_paths(const std::string& key);
// Why a KEY's text is none, as a clause; nothing when it is one.
[[nodiscard]] std::optional<std::string> bad_key_text(const std::string& key);

}  // namespace wtpool::jobs
