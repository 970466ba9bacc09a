#include "daemon/git/submodule/declared.hpp"

#include <algorithm>
#include <map>

#include "daemon/git/files/text.hpp"
#include "daemon/git/submodule/urls.hpp"

namespace wtpool::git {
namespace {

constexpr std::string_view kSection = "submodule.";

struct Found {
  DeclaredSubmodule submodule;
  bool valueless = false;
};

std::string in_lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// git's rule: `..` is no part of a name, whichever of the two slashes is taken for a separator. An empty part and a first slash
// are refused as well: joined with a directory they lead elsewhere.
std::string fault_of_name(std::string_view name) {
  if (name.empty()) return "it has no name";
  if (has_control(name)) return "its name has a control character";
  std::string slashed(name);
  std::replace(slashed.begin(), slashed.end(), '\\', '/');
  if (slashed.ends_with('/')) return "its name leads out of the directory for repositories";
  for (const std::string& part : split(slashed, '/'))
    if (part.empty() || part == "." || part == "..") return "its name leads out of the directory for repositories";
  return "";
}

std::string fault_of_path(std::string_view path) {
  if (path.empty()) return "it has no path";
  if (has_control(path)) return "its path has a control character";
  if (path.starts_with('-')) return "its path looks like an option";
  if (path.ends_with('/')) return "its path leads out of the slot";
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return "its path leads out of the slot";
    if (in_lower_case(part) == ".git") return "its path leads into a repository";
  }
  return "";
}

std::string fault_of_url(std::string_view url) {
  if (url.empty()) return "it has no URL";
  if (is_relative_url(url) ? has_newline(url) : transport_of(url) == Transport::refused) return "git is not run with its URL";
  return "";
}

std::string fault_of(const Found& found) {
  if (found.valueless) return "a key of it has no value";
  for (const std::string& fault : {fault_of_name(found.submodule.name), fault_of_path(found.submodule.path)})
    if (!fault.empty()) return fault;
  return found.submodule.left_out ? "" : fault_of_url(found.submodule.url);
}

void take(Found& found, std::string_view key, const std::optional<std::string>& value) {
  const bool known = key == "path" || key == "url" || key == "update" || key == "worktreepooltag";
  if (!known) return;
  found.valueless = found.valueless || !value;
  if (!value) return;
  if (key == "path") found.submodule.path = *value;
  if (key == "url") found.submodule.url = *value;
  if (key == "update") found.submodule.left_out = *value == "none";
  if (key == "worktreepooltag") found.submodule.tags.push_back(*value);
}

// A repository within another one's is one that git dies of: modules/a and modules/a/b.
bool nest(std::string_view one, std::string_view other) {
  return other.size() > one.size() && other.starts_with(one) && other[one.size()] == '/';
}

std::string fault_between(const DeclaredSubmodule& one, const std::vector<DeclaredSubmodule>& all) {
  for (const DeclaredSubmodule& other : all) {
    if (&other == &one) continue;
    if (other.path == one.path) return "another one has the same path";
    if (nest(other.path, one.path)) return "its path is in another one's";
    if (nest(other.name, one.name)) return "its repository would be in another one's";
  }
  return "";
}

}  // namespace

Declarations declared_submodules(const std::vector<ConfigEntry>& entries) {
  std::map<std::string, Found> by_name;
  for (const ConfigEntry& entry : entries) {
    const std::string_view key = entry.key;
    const std::size_t dot = key.rfind('.');
    if (!key.starts_with(kSection) || dot == std::string_view::npos || dot < kSection.size()) continue;
    const std::string name(key.substr(kSection.size(), dot - kSection.size()));
    Found& found = by_name[name];
    found.submodule.name = name;
    take(found, key.substr(dot + 1), entry.value);
  }
  Declarations result;
  std::vector<DeclaredSubmodule> sound;
  for (const auto& [name, found] : by_name) {
    std::string fault = fault_of(found);
    if (fault.empty()) {
      sound.push_back(found.submodule);
    } else {
      result.refused.push_back({name, std::move(fault)});
    }
  }
  for (const DeclaredSubmodule& one : sound) {
    std::string fault = fault_between(one, sound);
    if (fault.empty()) {
      result.usable.push_back(one);
    } else {
      result.refused.push_back({one.name, std::move(fault)});
    }
  }
  std::sort(result.refused.begin(), result.refused.end(),
            [](const RefusedSubmodule& a, const RefusedSubmodule& b) { return a.name < b.name; });
  return result;
}

}  // namespace wtpool::git
