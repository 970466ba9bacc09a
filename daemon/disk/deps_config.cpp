#include "daemon/disk/deps_config.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace wtpool::disk {
namespace {

constexpr std::array<std::string_view, 7> kKeys{"name", "key", "archive", "into", "mode", "real", "required"};

std::string scalar_of(const ConfigMap& map, const YAML::Node& dep, const char* key, bool required) {
  const YAML::Node value = dep[key];
  if (!value.IsDefined() || value.IsNull()) {
    if (required) throw map.error(yaml::fault_at(dep, std::string("a dep needs ") + key));
    return {};
  }
  if (!value.IsScalar() || value.Scalar().empty())
    throw map.error(yaml::fault_at(value, std::string("deps: ") + key + " takes a single value"));
  return value.Scalar();
}

// A path below the slot, without a slash at its end; "." is the slot.
std::string below_slot(const ConfigMap& map, const YAML::Node& node, std::string path) {
  while (path.ends_with('/') && path.size() > 1) path.pop_back();
  if (path == ".") return {};
  const std::string around = "/" + path + "/";
  if (path.starts_with('/') || around.find("/../") != std::string::npos || around.find("/./") != std::string::npos ||
      around.find("//") != std::string::npos)
    throw map.error(yaml::fault_at(node, "deps: '" + path + "' is no path below the slot"));
  return path;
}

core::Dep dep_of(const ConfigMap& map, const YAML::Node& node) {
  for (const auto& entry : node) {
    const bool known = entry.first.IsScalar() && std::ranges::find(kKeys, entry.first.Scalar()) != kKeys.end();
    if (!known)
      throw map.error(
          yaml::fault_at(entry.first, "unknown key '" + (entry.first.IsScalar() ? entry.first.Scalar() : "") + "' of a dep"));
  }
  core::Dep dep;
  dep.name = scalar_of(map, node, "name", true);
  dep.key = scalar_of(map, node, "key", true);
  dep.archive = scalar_of(map, node, "archive", false);
  const std::string into = scalar_of(map, node, "into", false);
  dep.into = below_slot(map, node, into.empty() ? "." : into);
  if (const std::string mode = scalar_of(map, node, "mode", false); !mode.empty()) {
    if (mode != "link" && mode != "reflink" && mode != "copy")
      throw map.error(yaml::fault_at(node["mode"], "deps: mode takes link, reflink or copy, not '" + mode + "'"));
    dep.mode = mode;
  }
  if (const std::string required = scalar_of(map, node, "required", false); !required.empty()) {
    if (required != "true" && required != "false")
      throw map.error(yaml::fault_at(node["required"], "deps: required takes true or false, not '" + required + "'"));
    dep.required = required == "true";
  }
  if (const YAML::Node real = node["real"]; real.IsDefined() && !real.IsNull()) {
    if (!real.IsSequence()) throw map.error(yaml::fault_at(real, "deps: real takes a list of paths"));
    for (const YAML::Node& each : real) {
      if (!each.IsScalar()) throw map.error(yaml::fault_at(each, "deps: real takes a list of paths"));
      dep.real.push_back(below_slot(map, each, each.Scalar()));
    }
  }
  return dep;
}

}  // namespace

std::vector<core::Dep> read_deps(const ConfigMap& map) {
  std::vector<core::Dep> deps;
  std::set<std::string> names;
  for (const YAML::Node& node : map.maps("deps")) {
    deps.push_back(dep_of(map, node));
    if (!names.insert(deps.back().name).second)
      throw map.error(yaml::fault_at(node, "deps: there are two of the name '" + deps.back().name + "'"));
  }
  return deps;
}

}  // namespace wtpool::disk
