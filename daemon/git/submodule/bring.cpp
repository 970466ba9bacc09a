#include "daemon/git/submodule/bring.hpp"

#include <algorithm>

#include "common/base/url.hpp"
#include "common/files/files.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/mirror.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/pins.hpp"
#include "daemon/git/submodule/repository.hpp"
#include "daemon/git/submodule/urls.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

constexpr std::size_t kLevels = 32;  // more is nobody's project

// Where one level stands.
struct Level {
  Git tree;
  Oid commit;
  std::string url;
  std::string path;  // from the slot's top; empty there
  std::vector<std::string> names;
};

class Bringer {
 public:
  explicit Bringer(const SubmoduleSources& sources) : sources_(sources) {}

  Brought run(const Git& tree, const Oid& commit) {
    std::vector<Level> open{{tree, commit, sources_.source_url, "", {}}};
    while (!open.empty()) {
      const Level level = std::move(open.back());
      open.pop_back();
      Pins pins = pins_of(level.tree, level.commit);
      brought_.refused.insert(brought_.refused.end(), pins.refused.begin(), pins.refused.end());
      for (const PinnedSubmodule& pin : pins.pinned) {
        if (!is_left_out(level, pin.declared)) bring(level, pin, open);
      }
    }
    return std::move(brought_);
  }

 private:
  [[nodiscard]] bool is_left_out(const Level& level, const DeclaredSubmodule& declared) const {
    if (declared.left_out) return true;
    const auto& out = sources_.excluded_tags;
    return level.names.empty() && std::any_of(declared.tags.begin(), declared.tags.end(), [&](const std::string& tag) {
             return std::find(out.begin(), out.end(), tag) != out.end();
           });
  }

  void bring(const Level& level, const PinnedSubmodule& pin, std::vector<Level>& open) {
    const auto url = resolved_url(level.url, pin.declared.url);
    if (!url || level.names.size() >= kLevels) {
      brought_.refused.push_back({pin.declared.name, url ? "it is too many levels down" : "its URL leads elsewhere"});
      return;
    }
    Level below{level.tree, pin.at, *url, level.path.empty() ? pin.declared.path : level.path + "/" + pin.declared.path,
                level.names};
    below.names.push_back(pin.declared.name);
    const std::string mirror = mirror_with(level, below);
    fill_submodule(level.tree, {pin.declared.name, pin.declared.path, *url, mirror, pin.at});
    brought_.submodules.push_back({below.path, pin.declared.name, mirror, pin.at});
    below.tree = level.tree.with_place({submodule_repository(level.tree, pin.declared.name).string(),
                                        (fs::path(level.tree.place().work_tree) / pin.declared.path).string()});
    open.push_back(std::move(below));
  }

  // Empty: the URL itself.
  [[nodiscard]] std::string effective_url(const Level& submodule) const {
    if (!sources_.mirror_mode) return "";
    if (*sources_.mirror_mode == "git-modules") return modules_mirror_of(sources_.mirror_base, submodule.names);
    return bare_mirror_of(sources_.mirror_base, submodule.url).value_or("");
  }

  static bool has(const Git& mirror, const Oid& commit) {
    return ids_of(mirror, {commit.str() + "^{commit}"}).front().has_value();
  }

  std::string mirror_with(const Level& level, const Level& submodule) {
    Context context = level.tree.context();
    context.helpers.reset();
    context.inherited.clear();  // a fetch holds no slot
    const std::string from = effective_url(submodule);
    const std::string path = make_mirror(sources_.root, {submodule.url, from, {}}, context).git_dir;
    const Git mirror = in_mirror(path, context);
    if (has(mirror, submodule.commit)) return path;
    fetch_from(mirror, from.empty() ? submodule.url : from, {{submodule.commit.str()}, false});
    if (has(mirror, submodule.commit)) return path;
    const std::string shown = without_credentials(from.empty() ? submodule.url : from);
    throw Error(ErrorKind::commit_unknown,
                "cannot fill submodule " + submodule.path + ": " + shown + " has no commit " + submodule.commit.str() +
                    ", at which " + level.commit.str() + " has it",
                "git ls-remote -- " + proto::shell_word(shown));
  }

  const SubmoduleSources& sources_;
  Brought brought_;
};

}  // namespace

Brought bring_submodules(const Git& tree, const Oid& commit, const SubmoduleSources& sources) {
  return Bringer(sources).run(tree, commit);
}

}  // namespace wtpool::git
