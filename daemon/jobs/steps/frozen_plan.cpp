#include "daemon/jobs/steps/frozen_plan.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/ignore_pattern.hpp"
#include "daemon/git/tree/checkout_settings.hpp"
#include "daemon/jobs/steps/guards.hpp"

namespace wtpool::jobs {
namespace {

const std::vector<std::string> kSecrets = {".env*",   "*.pem",     "*.key",       "*.p12",    "*.keystore",  "id_rsa*",
                                           "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc",   ".npmrc",      ".pypirc",
                                           ".aws/",   ".ssh/",     ".gnupg/",     "secrets/", "credentials*"};

// What builds or runs the slot that it was made in, wherever it is copied to.
constexpr std::array<const char*, 3> kPathBound = {"CMakeCache.txt", "pyvenv.cfg", "meson-private"};

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

[[noreturn]] void refuse(const std::string& why) {
  throw proto::Error(proto::ErrorKind::dirty, "cannot freeze the slot: " + why);
}

// A name that a `keep` of a plan refused, or that a clone left out, as a reason.
const char* reason_of(const std::filesystem::path& file, const std::string& path) {
  const auto stat = lstat_of(file);
  if (stat && (stat->st_uid != ::geteuid() || !(S_ISREG(stat->st_mode) || S_ISLNK(stat->st_mode) || S_ISDIR(stat->st_mode))))
    return "foreign";
  if (stat && S_ISDIR(stat->st_mode) && lstat_of(file / ".git")) return "foreign";
  return git::matches_any(kSecrets, path, stat && S_ISDIR(stat->st_mode)) ? "secret" : "untracked";
}

}  // namespace

FrozenPlan::FrozenPlan(const git::Git& slot, const core::PoolConfig& config)
    : slot_(slot), config_(config), root_(slot.place().work_tree) {
  read_index();
  for (const std::string& piece : git::ignored_pieces(slot)) judge(piece);
}

void FrozenPlan::read_index() {
  git::Command list;
  list.arguments = {"ls-files", "-z", "-v", "--stage"};
  list.directory = slot_.place().work_tree;
  list.output_limit = git::kWholeTree;
  const std::string listing = slot_.must(list);
  // <tag> <mode> <oid> <stage>\t<path>\0; the tag is lower-case when assume-unchanged, S when skip-worktree.
  for (std::size_t at = 0, end = 0; (end = listing.find('\0', at)) != std::string::npos; at = end + 1) {
    const std::size_t tab = listing.find('\t', at);
    if (tab == std::string::npos || tab > end || tab < at + 10) refuse("git lists its index in a form that is not known here");
    const char tag = listing[at];
    std::string path = listing.substr(tab + 1, end - tab - 1);
    if (tag >= 'a' && tag <= 'z') refuse(printable(path) + " is marked as unchanged, which hides changes");
    if (listing[tab - 1] != '0') refuse(printable(path) + " is in a merge");
    if (tag == 'S') continue;
    add_parents(path);
    if (listing.compare(at + 2, 6, "160000") == 0) {
      submodules_.insert(std::move(path));
    } else {
      tracked_.emplace(std::move(path), listing.substr(at + 9, tab - 2 - (at + 9)));
    }
  }
}

void FrozenPlan::add_parents(const std::string& path) {
  for (std::string directory = parent_of(path); !directory.empty() && parents_.insert(directory).second;)
    directory = parent_of(directory);
}

// A piece that `carry` names is carried whatever it looks like.
void FrozenPlan::judge(const std::string& piece) {
  const auto stat = lstat_of(root_ / piece);
  if (!stat) return;
  const bool is_directory = S_ISDIR(stat->st_mode);
  const bool named = config_.carry && git::matches_any(*config_.carry, piece, is_directory);
  if (git::matches_any(config_.carry_not, piece, is_directory) || (config_.carry && !named)) {
    left_out_[piece] = git::matches_any(kSecrets, piece, is_directory) ? "secret" : "not-carried";
    return;
  }
  if (!named && git::matches_any(kSecrets, piece, is_directory)) {
    left_out_[piece] = "secret";
  } else if (!named && is_directory && is_path_bound(piece)) {
    left_out_[piece] = "path-bound";
  } else {
    carry(piece, is_directory);
  }
}

void FrozenPlan::carry(const std::string& piece, bool is_directory) {
  carried_.insert(piece);
  add_parents(piece);
  if (!is_directory) return;
  asks_below_ = asks_below_ || !config_.carry_not.empty();
  for (const auto& child : children_of(root_ / piece)) {
    const std::string path = below(piece, child.filename().string());
    if (!is_directory_no_follow(child) || !is_path_bound(path)) continue;
    if (config_.carry && git::matches_any(*config_.carry, path, true) && !git::matches_any(*config_.carry, piece, true))
      continue;
    left_out_[path] = "path-bound";
    asks_below_ = true;
  }
}

bool FrozenPlan::is_path_bound(const std::string& directory) const {
  return std::ranges::any_of(kPathBound, [&](const char* name) { return lstat_of(root_ / directory / name).has_value(); });
}

Keep FrozenPlan::keep(const std::string& path, bool is_directory) const {
  if (tracked_.contains(path)) return Keep::yes;
  if (submodules_.contains(path)) return Keep::empty;
  if (left_out_.contains(path)) return Keep::no;
  if (carried_.contains(path)) return is_directory && !asks_below_ ? Keep::all : Keep::yes;
  if (is_directory && parents_.contains(path)) return Keep::yes;
  if (!asks_below_ || git::matches_any(config_.carry_not, path, is_directory)) return Keep::no;
  for (std::string directory = parent_of(path); !directory.empty(); directory = parent_of(directory))
    if (carried_.contains(directory)) return Keep::yes;
  return Keep::no;
}

std::vector<disk::Guard> FrozenPlan::guards_for(const std::string& piece) const {
  std::vector<disk::Guard> guards;
  for (std::string& path : guards_of(config_, piece, [this](const std::string& file) { return tracked_.contains(file); })) {
    const auto found = tracked_.find(path);
    guards.push_back({std::move(path), found == tracked_.end() ? std::string{} : found->second});
  }
  return guards;
}

std::vector<disk::CarriedPath> FrozenPlan::carried() const {
  std::vector<disk::CarriedPath> all;
  for (const std::string& piece : carried_) all.push_back({piece, 0, 0, guards_for(piece)});
  return all;
}

std::vector<proto::LeftOut> FrozenPlan::left_out(const CloneReport& report) const {
  std::map<std::string, std::string> all = left_out_;
  for (const std::string& path : report.refused) {
    const bool not_carried = asks_below_ && git::matches_any(config_.carry_not, path, is_directory_no_follow(root_ / path));
    all.emplace(path, not_carried ? "not-carried" : reason_of(root_ / path, path));
  }
  for (const std::string& path : report.left_out) all[path] = "foreign";
  std::vector<proto::LeftOut> list;
  for (auto& [path, reason] : all)
    if (!submodules_.contains(path)) list.push_back({path, reason});
  return list;
}

}  // namespace wtpool::jobs
