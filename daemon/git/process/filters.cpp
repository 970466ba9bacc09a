#include "daemon/git/process/filters.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kRemembered{60};

std::string stamp_of(const fs::path& file) {
  struct ::stat stat {};
  if (::stat(file.c_str(), &stat) != 0) return "-;";
  return std::to_string(stat.st_dev) + ":" + std::to_string(stat.st_ino) + ":" + std::to_string(stat.st_size) + ":" +
         std::to_string(modified_ns(stat)) + ";";
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Every file git may read configuration from, but for those that others include.
std::string stamps(const fs::path& common) {
  std::string all = stamp_of(common / "config") + stamp_of(common / "config.worktree");
  for (const char* system : {"/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig"})
    all += stamp_of(system);
  const fs::path home(environment("HOME"));
  const std::string xdg = environment("XDG_CONFIG_HOME");
  all += stamp_of(home / ".gitconfig");
  all += stamp_of((xdg.empty() ? home / ".config" : fs::path(xdg)) / "git" / "config");
  return all;
}

struct Setting {
  std::string scope;
  std::string key;
  std::string driver;
  std::string value;
};

std::vector<Setting> settings_in(const std::string& listing) {
  std::vector<Setting> settings;
  const std::vector<std::string> fields = split(listing, '\0');
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const std::size_t newline = fields[i + 1].find('\n');
    const std::string key = fields[i + 1].substr(0, newline);
    const std::size_t first = key.find('.');
    const std::size_t last = key.rfind('.');
    if (first == std::string::npos || first == last || key.starts_with("include")) continue;
    settings.push_back({fields[i], key, key.substr(first + 1, last - first - 1),
                        newline == std::string::npos ? "true" : fields[i + 1].substr(newline + 1)});
  }
  return settings;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

struct Remembered {
  std::string stamps;
  std::string listing;
  steady_clock::time_point until;
};

}  // namespace

std::string filter_listing(const std::string& git_dir, const std::string& common_dir, const std::function<std::string()>& ask) {
  return config_listing("filters", git_dir, common_dir, ask);
}

std::string config_listing(const std::string& what, const std::string& git_dir, const std::string& common_dir,
                           const std::function<std::string()>& ask) {
  static std::mutex mutex;
  static std::map<std::string, Remembered> known;
  if (git_dir.empty() || (git_dir != common_dir && lstat_of(fs::path(git_dir) / "config.worktree"))) return ask();
  const fs::path common(common_dir);
  const std::string key = what + ":" + common.string();
  const auto now = steady_clock::now();
  const std::string before = stamps(common);
  {
    const std::lock_guard guard(mutex);
    const auto found = known.find(key);
    if (found != known.end() && found->second.stamps == before && now < found->second.until) return found->second.listing;
  }
  std::string listing = ask();
  const auto fields = split(listing, '\0');
  const bool includes =
      std::any_of(fields.begin(), fields.end(), [](const auto& field) { return field.starts_with("include"); });
  const std::lock_guard guard(mutex);
  if (includes) {
    known.erase(key);
  } else {
    known[key] = {before, listing, now + kRemembered};
  }
  return listing;
}

std::vector<std::string> drivers_off(const std::string& listing, const std::vector<std::string>& allowed) {
  std::set<std::string> off;
  for (const Setting& setting : settings_in(listing)) {
    if (!contains(allowed, setting.driver)) off.insert(setting.driver);
  }
  return {off.begin(), off.end()};
}

std::vector<std::string> filter_overrides(const std::string& listing, const std::vector<std::string>& allowed) {
  static constexpr std::pair<const char*, const char*> kOff[] = {
      {"clean", ""}, {"smudge", ""}, {"process", ""}, {"required", "false"}};
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<std::pair<std::string, std::string>> trusted;  // key, value, in the order of reading
  std::set<std::string> from_slot;
  for (const Setting& setting : settings_in(listing)) {
    if (!contains(allowed, setting.driver)) continue;
    if (setting.scope == "worktree") {
      from_slot.insert(setting.key);
    } else {
      trusted.emplace_back(setting.key, setting.value);
    }
  }
  for (const std::string& driver : drivers_off(listing, allowed)) {
    for (const auto& [variable, value] : kOff) pairs.emplace_back("filter." + driver + "." + variable, value);
  }
  for (const std::string& key : from_slot) {
    std::string value = key.ends_with(".required") ? "false" : "";
    for (const auto& [known, known_value] : trusted) {
      if (known == key) value = known_value;
    }
    pairs.emplace_back(key, value);
  }
  std::vector<std::string> result;
  if (pairs.empty()) return result;
  result.push_back("GIT_CONFIG_COUNT=" + std::to_string(pairs.size()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    result.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + pairs[i].first);
    result.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + pairs[i].second);
  }
  return result;
}

bool says_filter_failed(std::string_view stderr_text) {
  // The last three of a `process` that ended or is no filter: nothing else that these commands start speaks pkt-line, but for
  // the fetch of what a partial clone lacks, which is no fault of the slot's either.
  static constexpr std::string_view kWords[] = {"external filter '",      "clean filter '",
                                                "smudge filter ",         "initialization for subprocess '",
                                                "the remote end hung up", "packet write "};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view words) { return stderr_text.find(words) != std::string_view::npos; });
}

}  // namespace wtpool::git
