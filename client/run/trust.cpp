#include "client/run/trust.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/files/files.hpp"

namespace wtpool::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongest = std::size_t{32} << 20;

std::string part(const std::string& name, const std::string& bytes) {
  return name + " " + std::to_string(bytes.size()) + "\n" + bytes + "\n";
}

std::string source_part(const std::string& source) { return "wtpool hooks 1\n" + part("source", source); }

std::string file_part(const TrustedFile& file) { return part("file", file.path) + part("text", file.bytes); }

}  // namespace

std::string text_of(const Approval& approval) {
  std::string text = source_part(approval.source);
  for (const auto& file : approval.files) text += file_part(file);
  return text;
}

std::vector<fs::path> Trust::files() const {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator entry(directory_, failed), end; !failed && entry != end; entry.increment(failed))
    files.push_back(entry->path());
  return files;
}

bool Trust::covers(const Approval& approval) const {
  if (approval.files.empty()) return true;
  const auto wanted = text_of(approval);
  return std::ranges::any_of(files(), [&](const fs::path& file) {
    const auto stat = lstat_of(file);
    if (!stat || !S_ISREG(stat->st_mode) || static_cast<std::size_t>(stat->st_size) != wanted.size()) return false;
    return read_file(file, kLongest) == wanted;
  });
}

bool Trust::knows(const std::string& source, const TrustedFile& wanted) const {
  const auto start = source_part(source);
  const auto text = file_part(wanted);
  return std::ranges::any_of(files(), [&](const fs::path& file) {
    const auto approved = read_file(file, kLongest).value_or("");
    return approved.starts_with(start) && approved.find(text, start.size()) != std::string::npos;
  });
}

void Trust::add(const Approval& approval) const {
  if (covers(approval)) return;
  make_directories(directory_);
  if (::chmod(directory_.c_str(), 0700) != 0) throw io_error("cannot keep to its user", directory_, errno);
  int number = 1;
  while (lstat_of(directory_ / std::to_string(number))) ++number;
  write_atomically(directory_ / std::to_string(number), text_of(approval), 0600);
}

int Trust::revoke(const std::string& source) const {
  int revoked = 0;
  for (const auto& file : files()) {
    if (!read_file(file, kLongest).value_or("").starts_with(source_part(source))) continue;
    unlink_durably(file);
    ++revoked;
  }
  return revoked;
}

}  // namespace wtpool::client
