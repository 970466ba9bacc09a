#include "daemon/git/work/attribute_tree.hpp"

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "attributes-";

fs::path parent_of_all(const std::string& common_dir) { return fs::path(common_dir) / "wtpool" / "land"; }

std::vector<std::string> files_above(const std::set<std::string>& paths) {
  std::set<std::string> files = {".gitattributes", ".gitmodules"};
  for (const std::string& path : paths)
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      files.insert(path.substr(0, slash) + "/.gitattributes");
  return {files.begin(), files.end()};
}

}  // namespace

AttributeTree::AttributeTree(const Git& place, const Oid& commit, const std::set<std::string>& paths) : place_(place.place()) {
  const std::vector<std::string> files = files_above(paths);
  std::vector<std::string> questions;
  for (const std::string& file : files) questions.push_back(commit.str() + ":" + file);
  const auto ids = ids_of(place, questions);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!ids[i]) continue;
    if (directory_.empty()) {
      const fs::path parent = parent_of_all(common_dir_of(place_));
      directory_ = parent / (std::string(kPrefix) + random_hex(16));
      make_directories(directory_, 0700);
    }
    Command read;
    read.arguments = {"cat-file", "blob", ids[i]->str()};
    make_directories((directory_ / files[i]).parent_path(), 0700);
    write_atomically(directory_ / files[i], place.must(read));
  }
}

AttributeTree::~AttributeTree() {
  if (directory_.empty()) return;
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

Place AttributeTree::place() const {
  Place place = place_;
  if (!directory_.empty()) place.work_tree = directory_.string();
  return place;
}

void remove_attribute_trees(const std::string& common_dir) {
  for (const fs::path& left : children_of(parent_of_all(common_dir)))
    if (left.filename().string().starts_with(kPrefix)) remove_tree(left);
}

}  // namespace wtpool::git
