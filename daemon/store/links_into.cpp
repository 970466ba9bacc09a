// links_into of graft.hpp.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <functional>

#include "daemon/store/beneath.hpp"
#include "daemon/store/graft.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::store {
namespace {

bool is_directory_at(int parent, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct ::stat status {};
  return ::fstatat(parent, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

std::map<std::string, std::vector<disk::GraftLink>> links_into(const Store& store, const std::filesystem::path& top) {
  std::map<std::string, std::vector<disk::GraftLink>> found;
  const std::string start = store.entries().native() + "/";
  const auto note = [&](const std::string& path, const std::string& target) {
    if (!target.starts_with(start)) return;
    const std::string rest = target.substr(start.size());
    const std::string key = rest.substr(0, rest.find('/'));
    const std::string inside = rest.size() > key.size() + 1 ? rest.substr(key.size() + 1) : "";
    const std::string within = inside == "tree" ? "" : inside.starts_with("tree/") ? inside.substr(5) : inside;
    found[key].push_back({path, within, disk::GraftLink::State::link});
  };
  std::vector<std::string> waiting{""};
  while (!waiting.empty()) {
    const std::string directory = std::move(waiting.back());
    waiting.pop_back();
    Fd fd = open_beneath(top, directory);
    DIR* stream = fd.valid() ? ::fdopendir(fd.get()) : nullptr;
    if (stream == nullptr) continue;
    const int descriptor = fd.release();
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || name == ".git") continue;
      if (is_directory_at(descriptor, *entry)) {
        waiting.push_back(joined(directory, name));
      } else if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
        if (const auto target = link_target(descriptor, name)) note(joined(directory, name), *target);
      }
    }
    ::closedir(stream);
  }
  return found;
}

}  // namespace wtpool::store
