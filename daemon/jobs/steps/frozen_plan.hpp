// What of a slot becomes part of a template: tracked files, and what git ignores and is carried.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/platform/clone_tree.hpp"
#include "daemon/disk/template_record.hpp"
#include "daemon/git/process/git.hpp"

namespace wtpool::jobs {

class FrozenPlan {
 public:
  // Throws proto::Error(dirty) for what git hides or merges in the slot's index.
  FrozenPlan(const git::Git& slot, const core::PoolConfig& config);

  [[nodiscard]] Keep keep(const std::string& path, bool is_directory) const;
  // With guards, and without counts.
  [[nodiscard]] std::vector<disk::CarriedPath> carried() const;
  // What the slot has and the plan does not keep, named by what the clone met as well; sorted by path.
  [[nodiscard]] std::vector<proto::LeftOut> left_out(const CloneReport& report) const;

 private:
  void read_index();
  void judge(const std::string& piece);
  void carry(const std::string& piece, bool is_directory);
  [[nodiscard]] bool is_path_bound(const std::string& directory) const;
  [[nodiscard]] std::vector<disk::Guard> guards_for(const std::string& piece) const;
  void add_parents(const std::string& path);

  const git::Git& slot_;
  const core::PoolConfig& config_;
  const std::filesystem::path root_;
  std::map<std::string, std::string> tracked_;  // path to object id
  std::unordered_set<std::string> submodules_;
  std::unordered_set<std::string> parents_;  // directories that lead to something kept
  std::set<std::string> carried_;
  std::map<std::string, std::string> left_out_;  // path to reason
  bool asks_below_ = false;                      // within carried directories, too
};

}  // namespace wtpool::jobs
