#include "daemon/git/source/tend.hpp"

#include <algorithm>
#include <filesystem>

#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

constexpr std::ptrdiff_t kManyPacks = 20;  // a fetch adds one

void run(const Git& mirror, std::vector<std::string> arguments) {
  Command command;
  command.task = "tidy up " + mirror.place().git_dir;
  command.arguments = std::move(arguments);
  command.limit = std::chrono::hours(2);
  command.durable = true;
  mirror.must(command);
}

std::ptrdiff_t packs_of(const Git& mirror) {
  const auto files = children_of(std::filesystem::path(mirror.place().git_dir) / "objects/pack");
  return std::ranges::count_if(files, [](const auto& file) { return file.extension() == ".pack"; });
}

}  // namespace

void tend_mirror(const Git& mirror) {
  run(mirror, {"pack-refs", "--all"});
  const std::ptrdiff_t packs = packs_of(mirror);
  if (packs > 0) run(mirror, {"multi-pack-index", "write", "--no-progress"});
  if (packs > kManyPacks) {
    run(mirror, {"multi-pack-index", "repack", "--batch-size=0", "--no-progress"});
    run(mirror, {"multi-pack-index", "expire", "--no-progress"});
  }
  run(mirror, {"commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"});
}

}  // namespace wtpool::git
