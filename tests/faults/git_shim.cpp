#include "tests/faults/git_shim.hpp"

namespace wtpool::test {

GitShim::GitShim(World& world) : folder_(world.dir() / "shim") {
  fs::create_directories(folder_);
  put_back();
  world.environment["PATH"] = folder_.string() + ":" + world.environment["PATH"];
}

void GitShim::take_away() const { fs::remove(folder_ / "git"); }

void GitShim::put_back() const { fs::create_symlink(WTPOOL_GIT_SHIM, folder_ / "git"); }

void GitShim::script(const std::string& lines) const {
  fs::remove(folder_ / "script");
  for (const auto& entry : fs::directory_iterator(folder_))
    if (entry.path().filename().string().starts_with("count-")) fs::remove(entry.path());
  if (!lines.empty()) write_text(folder_ / "script", lines);
}

}  // namespace wtpool::test
