#include "daemon/git/tree/ignored.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr off_t kByHand = 256 * 1024;  // bytes: nobody types more

// What compilers and interpreters leave beside the source.
constexpr std::array<std::string_view, 12> kMade = {".o",   ".a",     ".so",  ".d",    ".pyc",  ".class",
                                                    ".obj", ".dylib", ".log", ".gcda", ".gcno", ".tmp"};

void count(const fs::path& path, Ignored& ignored) {
  const auto stat = lstat_of(path);
  if (!stat || S_ISDIR(stat->st_mode)) return;
  ++ignored.files;
  ignored.bytes += static_cast<std::uint64_t>(stat->st_size);
}

void count_below(const fs::path& directory, Ignored& ignored) {
  std::error_code failed;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(directory, options, failed), end; !failed && at != end; at.increment(failed))
    count(at->path(), ignored);
}

bool by_hand(const fs::path& file, std::int64_t young_since) {
  const auto stat = lstat_of(file);
  if (!stat || !S_ISREG(stat->st_mode) || stat->st_size > kByHand) return false;
  const std::string extension = file.extension().string();
  if (std::find(kMade.begin(), kMade.end(), extension) != kMade.end()) return false;
  return static_cast<std::int64_t>(stat->st_mtime) >= young_since;
}

}  // namespace

bool looks_secret(const std::string& path) {
  const fs::path whole(path);
  const std::string name = whole.filename().string();
  for (const fs::path& part : whole.parent_path()) {
    for (const char* folder : {"secrets", ".secrets", ".ssh", ".aws", ".gnupg"})
      if (part == folder) return true;
  }
  for (const char* secret : {".npmrc", ".netrc", ".pypirc", ".htpasswd", "credentials", "credentials.json", "secrets.yml",
                             "secrets.yaml", "secrets.json", "local.properties", "master.key"})
    if (name == secret) return true;
  for (const char* begin : {".env", "id_rsa", "id_ed25519", "id_ecdsa"})
    if (name.starts_with(begin)) return true;
  for (const char* end : {".pem", ".key", ".p12", ".pfx", ".keystore", ".jks", ".kdbx", ".env"})
    if (name.ends_with(end)) return true;
  return false;
}

Ignored ignored_in(const Git& slot, std::int64_t young_since) {
  const fs::path work_tree = slot.place().work_tree;
  Command list;
  list.arguments = {"ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"};
  list.output_limit = kWholeTree;
  Ignored ignored;
  for (const std::string& path : split(slot.must(list), '\0')) {
    if (!path.ends_with('/')) {
      count(work_tree / path, ignored);
      if (looks_secret(path) || by_hand(work_tree / path, young_since)) ignored.precious.push_back(path);
      continue;
    }
    const std::string directory = path.substr(0, path.size() - 1);
    // Of a nested repository, which is no file of this one, nothing is told.
    if (!is_directory_no_follow(work_tree / directory) || lstat_of(work_tree / directory / ".git")) continue;
    count_below(work_tree / directory, ignored);
    if (looks_secret(directory + "/x")) ignored.precious.push_back(directory);
  }
  return ignored;
}

}  // namespace wtpool::git
