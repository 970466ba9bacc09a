#include "daemon/git/tree/clean.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/tree/nested_repositories.hpp"

namespace wtpool::git {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kMaxDepth = 128;  // of descriptors that are open at the same time

class WritableMaker {
 public:
  explicit WritableMaker(const std::filesystem::path& work_tree) : top_(::open(work_tree.c_str(), kDirectory)) {
    struct ::stat stat {};
    if (!top_.valid() || ::fstat(top_.get(), &stat) != 0) throw io_error("cannot open", work_tree, errno);
    device_ = stat.st_dev;
    allow(top_.get(), stat);
  }

  void lead_to(const std::string& path) {
    Fd at(::fcntl(top_.get(), F_DUPFD_CLOEXEC, 3));
    std::vector<std::string> parts = split(path, '/');
    const bool all_below = path.ends_with('/');
    while (!parts.empty() && parts.back().empty()) parts.pop_back();
    for (std::size_t i = 0; i < parts.size() && at.valid(); ++i) {
      if (i + 1 == parts.size() && !all_below) return;
      at = enter(at.get(), parts[i]);
    }
    if (at.valid() && all_below) below(at.get(), 0);
  }

 private:
  static void allow(int fd, const struct ::stat& stat) {
    const bool is_read_only = (stat.st_mode & S_IRWXU) == (S_IRUSR | S_IXUSR);
    if (is_read_only && stat.st_uid == ::geteuid()) ::fchmod(fd, (stat.st_mode & 07777) | S_IWUSR);
  }

  // Not valid: it is no directory of this tree that could be read.
  [[nodiscard]] Fd enter(int parent, const std::string& name) const {
    if (name.empty() || name == "." || name == "..") return {};
    Fd fd(::openat(parent, name.c_str(), kDirectory));
    struct ::stat stat {};
    if (!fd.valid() || ::fstat(fd.get(), &stat) != 0 || stat.st_dev != device_) return {};
    if (::fstatat(fd.get(), ".git", &stat, AT_SYMLINK_NOFOLLOW) == 0 || ::fstat(fd.get(), &stat) != 0) return {};
    allow(fd.get(), stat);
    return fd;
  }

  void below(int fd, int depth) const {
    if (depth == kMaxDepth) return;
    for (const std::string& name : names_in(fd)) {
      if (const Fd child = enter(fd, name); child.valid()) below(child.get(), depth + 1);
    }
  }

  // Of what may be a directory.
  static std::vector<std::string> names_in(int fd) {
    std::vector<std::string> names;
    Fd own(::openat(fd, ".", kDirectory));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(own.valid() ? ::fdopendir(own.get()) : nullptr,
                                                     [](DIR* d) { return d != nullptr ? ::closedir(d) : 0; });
    if (!stream) return names;
    (void)own.release();
    while (const dirent* const entry = ::readdir(stream.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != ".." && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)) names.push_back(name);
    }
    return names;
  }

  Fd top_;
  dev_t device_ = 0;
};

// As git writes a path for people: in quotes, with escapes, where it holds anything odd.
std::string unquoted(std::string_view text) {
  if (!text.starts_with('"') || !text.ends_with('"') || text.size() < 2) return std::string(text);
  constexpr std::string_view kLetters = "abtnvfr";
  constexpr std::string_view kMeant = "\a\b\t\n\v\f\r";
  std::string path;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      path += text[i];
      continue;
    }
    const char next = text[++i];
    if (const std::size_t letter = kLetters.find(next); letter != std::string_view::npos) {
      path += kMeant[letter];
    } else if (next >= '0' && next <= '3' && i + 2 < text.size()) {
      path += static_cast<char>((next - '0') * 64 + (text[i + 1] - '0') * 8 + (text[i + 2] - '0'));
      i += 2;
    } else {
      path += next;
    }
  }
  return path;
}

// Anchored, and nothing in it stands for anything else.
std::string pattern_of(const std::string& directory) {
  std::string pattern = "/";
  for (const char c : directory) {
    if (std::string_view("\\*?[").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

struct Plan {
  bool removes = false;
  std::vector<std::string> directories;
  std::vector<std::string> repositories;  // in what it would remove
};

// git is asked first what it would take away, and only that is looked through: what it leaves may be large.
Plan plan_clean(const Git& slot, bool ignored_too) {
  constexpr std::string_view kRemove = "Would remove ";
  Command ask;
  ask.arguments = {"clean", "-n", "-d"};
  if (ignored_too) ask.arguments.emplace_back("-x");
  ask.output_limit = kWholeTree;
  Plan plan;
  for (const std::string& line : split(slot.must(ask), '\n')) {
    if (!line.starts_with(kRemove)) continue;
    plan.removes = true;
    std::string path = unquoted(std::string_view(line).substr(kRemove.size()));
    if (path.ends_with('/')) {
      path.pop_back();  // git does not say so of each directory
      plan.directories.push_back(path);
    }
    for (std::string& found : repositories_below(slot.place().work_tree, path)) plan.repositories.push_back(std::move(found));
  }
  return plan;
}

// What `git clean -n` names as a directory, as far as nothing but directories is in it.
bool remove_if_empty(int parent, const std::string& name, int depth) {
  constexpr int kDeepest = 256;
  const Fd directory(depth < kDeepest ? ::openat(parent, name.c_str(), kDirectory) : -1);
  if (!directory.valid()) return false;
  bool empty = true;
  Fd own(::openat(directory.get(), ".", kDirectory));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(own.valid() ? ::fdopendir(own.get()) : nullptr,
                                                   [](DIR* d) { return d != nullptr ? ::closedir(d) : 0; });
  if (!stream) return false;
  (void)own.release();
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string child = entry->d_name;
    if (child == "." || child == "..") continue;
    if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) return false;
    names.push_back(child);
  }
  for (const std::string& child : names) empty = remove_if_empty(directory.get(), child, depth + 1) && empty;
  return empty && ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
}

}  // namespace

void make_writable(const std::filesystem::path& work_tree, const std::vector<std::string>& paths) {
  WritableMaker maker(work_tree);
  for (const std::string& path : paths) maker.lead_to(path);
}

namespace {

std::vector<std::string> clean_all(const Git& slot, bool ignored_too, const std::vector<std::string>& spared) {
  auto plan = plan_clean(slot, ignored_too);
  if (!plan.removes) return std::move(plan.repositories);
  Command clean;
  clean.arguments = {"clean", "-f", "-d", "-q"};
  if (ignored_too) clean.arguments.emplace_back("-x");
  for (const std::vector<std::string>* paths : {&std::as_const(plan.repositories), &spared}) {
    for (const std::string& path : *paths) clean.arguments.insert(clean.arguments.end(), {"-e", pattern_of(path)});
  }
  if (slot.run(clean).ok()) return std::move(plan.repositories);
  Command list;
  list.arguments = {"ls-files", "--others", "--directory", "-z"};
  list.output_limit = kWholeTree;
  if (!ignored_too) list.arguments.emplace_back("--exclude-standard");
  make_writable(slot.place().work_tree, split(slot.must(list), '\0'));
  slot.must(clean);
  return std::move(plan.repositories);
}

}  // namespace

std::vector<std::string> clean(const Git& slot, bool ignored_too) { return clean_all(slot, ignored_too, {}); }

void remove_empty_directories(const std::filesystem::path& work_tree, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    Fd at(::open(work_tree.c_str(), kDirectory));
    const auto parts = split(path, '/');
    for (std::size_t i = 0; i + 1 < parts.size() && at.valid(); ++i) at.reset(::openat(at.get(), parts[i].c_str(), kDirectory));
    if (at.valid() && !parts.empty()) (void)remove_if_empty(at.get(), parts.back(), 0);
  }
}

std::vector<std::string> clean_beside(const Git& slot, bool ignored_too) {
  auto plan = plan_clean(slot, false);
  remove_empty_directories(slot.place().work_tree, plan.directories);
  if (!ignored_too) return std::move(plan.repositories);
  Command list;
  list.arguments = {"ls-files", "--others", "--exclude-standard", "--directory", "-z"};
  list.output_limit = kWholeTree;
  auto spared = split(slot.must(list), '\0');
  for (std::string& path : spared)
    if (path.ends_with('/')) path.pop_back();
  return clean_all(slot, true, spared);
}

}  // namespace wtpool::git
