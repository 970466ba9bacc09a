#include "daemon/git/source/mirror.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/url.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/blob_id.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/fetch_failure.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

constexpr std::string_view kNew = ".new-";
constexpr std::size_t kNameBytes = 150;
constexpr std::size_t kHashDigits = 12;
constexpr std::chrono::seconds kHeadLimit{60};  // a remote that is not there, or wants a password, says so by then

// The directory in which a mirror is made. It is locked as long as its maker lives, so that nobody takes it for a dead one's.
class Workshop {
 public:
  explicit Workshop(const fs::path& sources) {
    static std::atomic<int> next{0};
    do {
      path_ = sources / (std::string(kNew) + std::to_string(::getpid()) + "-" + std::to_string(next++));
    } while (::mkdir(path_.c_str(), 0755) != 0 && errno == EEXIST);
    lock_ = Fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock_.valid() || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) throw io_error("cannot make", path_, errno);
  }
  ~Workshop() {
    if (path_.empty()) return;
    try {
      remove_tree(path_);
    } catch (const std::exception& error) {
      log_warn(std::string("cannot take away an unfinished mirror: ") + error.what());
    }
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void empty() const {
    for (const fs::path& child : children_of(path_)) {
      if (is_directory_no_follow(child)) {
        remove_tree(child);
      } else {
        ::unlink(child.c_str());
      }
    }
  }
  // False: somebody else's mirror stands there.
  [[nodiscard]] bool rename_to(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) == 0) {
      path_.clear();
      return true;
    }
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
    throw io_error("cannot make", target, errno);
  }

 private:
  fs::path path_;
  Fd lock_;
};

// What the remote calls its HEAD: a branch's full name. Nothing of one that is empty, or whose HEAD is detached.
struct RemoteHead {
  std::optional<std::string> branch;
  bool sha256 = false;
};

RemoteHead ask_head(const std::string& from, const Context& context) {
  const Git anywhere(Place{}, context);
  Command ask;
  ask.arguments = {"ls-remote", "--symref", "--", from, "HEAD"};
  ask.environment = network_environment(anywhere);
  ask.limit = kHeadLimit;
  RemoteHead head;
  try {
    for (const std::string& line : split(anywhere.must(ask), '\n')) {
      constexpr std::string_view kSymbolic = "ref: ";
      const std::size_t tab = line.find('\t');
      if (tab == std::string::npos || line.substr(tab + 1) != "HEAD") continue;
      if (line.starts_with(kSymbolic)) head.branch = line.substr(kSymbolic.size(), tab - kSymbolic.size());
      if (tab == 64 && oid_from(line.substr(0, tab))) head.sha256 = true;
    }
  } catch (const Error& error) {
    throw fetch_failure(error, from, {});
  }
  if (head.branch && !head.branch->starts_with("refs/heads/")) head.branch.reset();
  return head;
}

void init(const fs::path& place, const MirrorOrder& order, bool sha256, const Context& context) {
  const Git anywhere(Place{}, context);
  Command make;
  make.arguments = {
      "init", "-q",          "--bare", "--template=", std::string("--object-format=") + (sha256 ? "sha256" : "sha1"),
      "--",   place.string()};
  anywhere.must(make);
  const Git mirror = in_mirror(place.string(), context);
  const auto set = [&](const std::string& key, const std::string& value) {
    Command command;
    command.arguments = {"config", key, value};
    mirror.must(command);
  };
  set("core.repositoryFormatVersion", "1");
  // By git's rule core.bare is not the slots' then, and stands in the mirror's own config.worktree.
  Command bare;
  bare.arguments = {"config", "--file", (place / "config.worktree").string(), "core.bare", "true"};
  mirror.must(bare);
  set("extensions.worktreeConfig", "true");
  Command shared;
  shared.arguments = {"config", "--unset", "core.bare"};
  mirror.must(shared);
  set("remote.origin.url", order.url);
  set("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
  set("fetch.unpackLimit", "1");
  set("gc.auto", "0");
}

// Only for as long as it fetches: packed once more, with what it borrowed, it needs nobody.
void borrow(const fs::path& place, const std::string& reference, const Context& context) {
  const Git anywhere(Place{}, context);
  Command ask;
  ask.arguments = {"-C", reference, "rev-parse", "--path-format=absolute", "--git-path", "objects"};
  const ChildResult asked = anywhere.run(ask);
  const std::string objects = trimmed(asked.output);
  if (!asked.ok() || !is_directory_no_follow(real_path(objects))) {
    throw Error(ErrorKind::source_missing, "cannot use " + reference + " as a reference: it is no git repository",
                "git -C " + proto::shell_word(reference) + " remote -v");
  }
  make_directories(place / "objects/info");
  write_atomically(place / "objects/info/alternates", real_path(objects).string() + "\n", 0644);
}

void stand_alone(const Git& mirror, const fs::path& place) {
  Command repack;
  repack.arguments = {"repack", "-a", "-d", "-q"};
  repack.limit = std::chrono::hours(24);
  mirror.must(repack);
  ::unlink((place / "objects/info/alternates").c_str());
}

// To git a branch that HEAD names is checked out, in a bare repository as well when it is asked in a slot. So the mirror's own
// HEAD names a branch that no NAME can be.
void point_heads(const Git& mirror, const RemoteHead& head) {
  const auto point = [&](const std::string& from, const std::string& to) {
    Command command;
    command.arguments = {"symbolic-ref", from, to};
    mirror.must(command);
  };
  point("HEAD", "refs/heads/MIRROR_HEAD");
  if (!head.branch) return;
  const std::string name = head.branch->substr(std::string_view("refs/heads/").size());
  point("refs/remotes/origin/HEAD", "refs/remotes/origin/" + name);
}

// git syncs its packs; the rest is few and small files.
void sync_all(const fs::path& place) {
  std::vector<fs::path> files;
  std::vector<fs::path> directories{place};
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const fs::path directory = directories[i];
    for (const fs::path& child : children_of(directory)) {
      if (is_directory_no_follow(child)) {
        directories.push_back(child);
      } else {
        files.push_back(child);
      }
    }
  }
  sync_files(files);
  for (const fs::path& directory : directories) sync_directory(directory);
}

void fill(const fs::path& place, const MirrorOrder& order, const RemoteHead& head, const Context& context) {
  const std::string from = order.from.empty() ? order.url : order.from;
  init(place, order, head.sha256, context);
  FAILPOINT("mirror.initialised");
  const Git mirror = in_mirror(place.string(), context);
  if (order.reference) borrow(place, *order.reference, context);
  fetch_everything(mirror, from);
  FAILPOINT("mirror.fetched");
  if (order.reference) stand_alone(mirror, place);
  point_heads(mirror, head);
  Command pack;
  pack.arguments = {"pack-refs", "--all"};
  mirror.must(pack);
  Command keep;
  keep.arguments = {"config", "extensions.preciousObjects", "true"};
  mirror.must(keep);
  make_directories(place / "wtpool");
  write_atomically(place / "wtpool/url", order.url + "\n", 0644);
  remember_fetch(place.string(), wall_now());
  sync_all(place);
}

}  // namespace

std::string name_of_url(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t last = url.find_last_of("/:");
  std::string name(last == std::string_view::npos ? url : url.substr(last + 1));
  if (name.size() > 4 && name.ends_with(".git")) name.resize(name.size() - 4);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (!plain) c = '-';
  }
  if (name.size() > kNameBytes) name.resize(kNameBytes);
  return name;
}

fs::path mirrors_dir(const fs::path& root) { return root / ".sources"; }

fs::path mirror_path(const fs::path& root, const std::string& url) {
  return mirrors_dir(root) / (name_of_url(url) + "-" + blob_id(url).substr(0, kHashDigits) + ".git");
}

std::optional<std::string> mirrored_url(const fs::path& git_dir) {
  auto text = read_file(git_dir / "wtpool/url");
  if (!text) return std::nullopt;
  if (text->ends_with('\n')) text->pop_back();
  return text;
}

bool is_mirror(const fs::path& git_dir) { return lstat_of(git_dir / "wtpool/url").has_value(); }

Git in_mirror(const std::string& git_dir, const Context& context) { return Git(Place{git_dir, {}}, context); }

Mirror make_mirror(const fs::path& root, const MirrorOrder& order, const Context& context) {
  const fs::path target = mirror_path(root, order.url);
  if (is_mirror(target)) return {target.string(), false};
  make_directories(mirrors_dir(root), 0755, true);
  Workshop workshop(mirrors_dir(root));
  const RemoteHead head = ask_head(order.from.empty() ? order.url : order.from, context);
  try {
    fill(workshop.path(), order, head, context);
  } catch (const Error& error) {
    if (head.sha256 || !is_other_hash(error)) throw;
    workshop.empty();
    fill(workshop.path(), order, {head.branch, true}, context);
  }
  FAILPOINT("mirror.synced");
  const bool made = workshop.rename_to(target);
  sync_directory(mirrors_dir(root));
  FAILPOINT("mirror.renamed");
  return {target.string(), made};
}

void remove_unfinished_mirrors(const fs::path& root) {
  for (const fs::path& child : children_of(mirrors_dir(root))) {
    const std::string name = child.filename().string();
    const bool ours = name.starts_with(kNew) && name.find_first_not_of("0123456789-", kNew.size()) == std::string::npos;
    if (!ours || !is_directory_no_follow(child)) continue;
    const Fd lock(::open(child.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock.valid() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    try {
      remove_tree(child);
      log_info("took away the unfinished mirror " + child.string());
    } catch (const Error& error) {
      log_warn("cannot take away the unfinished mirror " + child.string() + ": " + error.message);
    }
  }
}

}  // namespace wtpool::git
