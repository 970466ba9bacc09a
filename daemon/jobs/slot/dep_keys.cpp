#include "daemon/jobs/slot/dep_keys.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <functional>

#include "common/host_paths.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/store/names.hpp"
#include "daemon/store/sums.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::size_t kRemembered = 256;
constexpr std::size_t kHashDigits = 32;

// The text with each {word} replaced by what `value` says of it; an unknown word stays.
std::string filled_in(const std::string& text, const std::function<std::optional<std::string>(const std::string&)>& value) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('{', at), text.size());
    out += text.substr(at, open - at);
    const std::size_t close = text.find('}', open);
    if (open == text.size()) break;
    if (close == std::string::npos) return out + text.substr(open);
    const std::string word = text.substr(open + 1, close - open - 1);
    out += value(word).value_or("{" + word + "}");
    at = close + 1;
  }
  return out;
}

std::vector<std::string> paths_of(const std::string& list) {
  std::vector<std::string> paths;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(',', start), list.size());
    std::string path = list.substr(start, end - start);
    while (path.ends_with('/')) path.pop_back();
    if (!path.empty()) paths.push_back(path);
    start = end + 1;
  }
  return paths;
}

std::string hash_of(const git::Git& source, const Oid& commit, const std::vector<std::string>& paths) {
  std::vector<std::string> questions;
  for (const std::string& path : paths) questions.push_back(commit.str() + ":" + path);
  const auto ids = git::ids_of(source, questions);
  std::string text;
  for (std::size_t i = 0; i < paths.size(); ++i) text += paths[i] + '\0' + (ids[i] ? ids[i]->str() : "none") + '\n';
  return store::sha256_hex(text).substr(0, kHashDigits);
}

}  // namespace

std::vector<core::Dep> DepKeys::at(const git::Git& source, const std::vector<core::Dep>& deps, const Oid& commit) {
  {
    const std::lock_guard guard(mutex_);
    if (const auto found = known_.find(commit); found != known_.end()) return found->second;
  }
  struct ::utsname system {};
  (void)::uname(&system);
  std::string os = system.sysname;
  std::ranges::transform(os, os.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::vector<core::Dep> filled = deps;
  for (core::Dep& dep : filled) {
    dep.key = filled_in(dep.key, [&](const std::string& word) -> std::optional<std::string> {
      if (word == "os") return os;
      if (word == "arch") return system.machine;
      if (word.starts_with("hash:")) return hash_of(source, commit, paths_of(word.substr(5)));
      return std::nullopt;
    });
    dep.archive = filled_in(dep.archive, [&](const std::string& word) -> std::optional<std::string> {
      if (word == "key") return dep.key;
      return std::nullopt;
    });
    if (!dep.archive.empty()) dep.archive = expand_path(dep.archive, "/").string();
  }
  const std::lock_guard guard(mutex_);
  if (known_.size() >= kRemembered) known_.clear();
  known_[commit] = filled;
  return filled;
}

std::vector<std::string> hashed_paths(const std::string& key) {
  std::vector<std::string> paths;
  (void)filled_in(key, [&](const std::string& word) -> std::optional<std::string> {
    if (word.starts_with("hash:")) {
      for (auto& path : paths_of(word.substr(5))) paths.push_back(std::move(path));
    }
    return std::nullopt;
  });
  return paths;
}

std::optional<std::string> bad_key_text(const std::string& key) { return store::bad_key(key); }

}  // namespace wtpool::jobs
