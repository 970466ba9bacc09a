#include "daemon/store/tree_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <system_error>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"

namespace wtpool::store {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr std::uint64_t kAskEvery = 64ull << 20;
constexpr int kMaxHops = 64;

struct ::timespec time_of(std::int64_t ns) {
  std::int64_t seconds = ns / 1'000'000'000;
  std::int64_t rest = ns % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  struct ::timespec time {};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>(rest);
  return time;
}

std::array<struct ::timespec, 2> times_of(std::int64_t ns) { return {time_of(ns), time_of(ns)}; }

// As in the archive less write, set-id and sticky bits; the owner can always read it, or nobody could verify or copy it.
unsigned frozen_mode(unsigned mode, NodeKind kind) {
  return kind == NodeKind::directory ? (mode & 0555U) | 0500U : (mode & 0555U) | 0400U;
}

}  // namespace

TreeWriter::TreeWriter(std::filesystem::path root, const Limits& limits)
    : root_(std::move(root)), limits_(limits), now_ns_(wall_now() * 1'000'000'000) {
  if (::mkdir(root_.c_str(), 0700) != 0) throw io_error("cannot make the directory", root_, errno);
  Fd fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) throw io_error("cannot open", root_, errno);
  open_.push_back({"", std::move(fd)});
  remember("", NodeKind::directory, {0755, now_ns_}).named = false;
}

TreeWriter::~TreeWriter() = default;

void TreeWriter::refuse(std::string_view name, const std::string& why) const {
  throw Error(ErrorKind::store_refused, "the member '" + printable(name) + "' is refused: " + why);
}

void TreeWriter::failed(std::string_view name, int error_number) const {
  throw io_error("cannot write the member", std::filesystem::path(std::string(name)), error_number);
}

void TreeWriter::count_member(std::string_view name) {
  if (listing_.nodes.size() > limits_.files) refuse(name, "there are more than " + std::to_string(limits_.files) + " members");
  if (limits_.stopped && (listing_.nodes.size() & 63U) == 0 && limits_.stopped())
    throw Error(ErrorKind::cancelled, "the making of the entry was cancelled");
}

void TreeWriter::count_bytes(std::uint64_t bytes) {
  written_ += bytes;
  if (written_ > limits_.bytes || written_ < bytes)
    refuse(file_name_, "the members have more than " + std::to_string(limits_.bytes) + " bytes");
  if (limits_.ratio > 0 && written_ > limits_.ratio_from && written_ / limits_.ratio > read_)
    refuse(file_name_, "the members have more than " + std::to_string(limits_.ratio) + " times the bytes of the archive");
  if (written_ - asked_at_ < kAskEvery) return;
  asked_at_ = written_;
  const auto free = free_bytes(root_);
  if (free && *free < limits_.reserve)
    throw Error(ErrorKind::no_space, "cannot write the member '" + printable(file_name_) + "': the disk of " +
                                         printable(root_.native()) + " has less than its reserve free");
  if (limits_.progress) limits_.progress(written_);
  if (limits_.stopped && limits_.stopped()) throw Error(ErrorKind::cancelled, "the making of the entry was cancelled");
}

std::string TreeWriter::checked(std::string_view name) const {
  const MemberName parsed = member_name(name);
  if (parsed.refused) refuse(name, *parsed.refused);
  return parsed.text();
}

TreeWriter::Made& TreeWriter::remember(const std::string& path, NodeKind kind, const Attributes& attributes) {
  Node node;
  node.kind = kind;
  node.mode = kind == NodeKind::symlink ? 0777U : frozen_mode(attributes.mode, kind);
  node.mtime_ns = attributes.mtime_ns > now_ns_ ? now_ns_ : attributes.mtime_ns;
  node.path = path;
  listing_.nodes.push_back(std::move(node));
  return made_[path] = Made{kind, true, listing_.nodes.size() - 1, {}};
}

// The descriptor of a directory that was made before; those above it that are open already are used.
int TreeWriter::descriptor_of(const std::string& directory) {
  while (!is_at_or_below(directory, open_.back().path)) open_.pop_back();
  while (open_.back().path != directory) {
    const std::string& above = open_.back().path;
    const std::size_t start = above.empty() ? 0 : above.size() + 1;
    const std::string next = directory.substr(0, std::min(directory.find('/', start), directory.size()));
    Fd fd(::openat(open_.back().fd.get(), base_of(next).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) failed(next, errno);
    open_.push_back({next, std::move(fd)});
  }
  return open_.back().fd.get();
}

// Makes the directories on the way to `path`. What lies there and is no directory refuses the member.
int TreeWriter::parent_descriptor(const std::string& path) {
  const std::string parent = parent_of(path);
  if (open_.back().path == parent) return open_.back().fd.get();
  for (std::size_t end = 0; end < parent.size();) {
    end = std::min(parent.find('/', end + 1), parent.size());
    const std::string level = parent.substr(0, end);
    const auto found = made_.find(level);
    if (found != made_.end()) {
      if (found->second.kind == NodeKind::symlink) refuse(path, "it lies below the symlink '" + printable(level) + "'");
      if (found->second.kind == NodeKind::file) refuse(path, "it lies below the file '" + printable(level) + "'");
      continue;
    }
    count_member(path);
    const int above = descriptor_of(parent_of(level));
    if (::mkdirat(above, base_of(level).c_str(), 0700) != 0) failed(level, errno);
    remember(level, NodeKind::directory, {0755, now_ns_}).named = false;
  }
  return descriptor_of(parent);
}

void TreeWriter::directory(std::string_view name, const Attributes& attributes) {
  const std::string path = checked(name);
  count_member(path);
  if (const auto found = made_.find(path); found != made_.end()) {
    if (found->second.kind != NodeKind::directory || found->second.named) refuse(name, "it is there twice");
    found->second.named = true;
    Node& node = listing_.nodes[found->second.node];
    node.mode = frozen_mode(attributes.mode, NodeKind::directory);
    node.mtime_ns = std::min(attributes.mtime_ns, now_ns_);
    return;
  }
  const int parent = parent_descriptor(path);
  if (::mkdirat(parent, base_of(path).c_str(), 0700) != 0) failed(name, errno);
  remember(path, NodeKind::directory, attributes);
}

void TreeWriter::symlink(std::string_view name, const std::string& target, const Attributes& attributes) {
  const std::string path = checked(name);
  if (path.empty() || made_.contains(path)) refuse(name, "it is there twice");
  count_member(path);
  if (target.empty() || target.size() > 4000 || target.find('\0') != std::string::npos)
    refuse(name, "it is a symlink to nothing that can be");
  const int parent = parent_descriptor(path);
  const std::string base = base_of(path);
  if (::symlinkat(target.c_str(), parent, base.c_str()) != 0) failed(name, errno);
  Made& made = remember(path, NodeKind::symlink, attributes);
  made.target = target;
  Node& node = listing_.nodes[made.node];
  node.sum = xxh3(target);
  (void)::utimensat(parent, base.c_str(), times_of(node.mtime_ns).data(), AT_SYMLINK_NOFOLLOW);
}

void TreeWriter::hard_link(std::string_view name, const std::string& target) {
  const std::string path = checked(name);
  if (path.empty() || made_.contains(path)) refuse(name, "it is there twice");
  count_member(path);
  const MemberName to = member_name(target);
  const auto found = to.refused ? made_.end() : made_.find(to.text());
  if (found == made_.end() || found->second.kind != NodeKind::file)
    refuse(name, "it is a hard link to '" + printable(target) + "', which is no file that this archive has before it");
  const std::size_t of = found->second.node;
  count_bytes(0);
  const Fd source(::fcntl(parent_descriptor(to.text()), F_DUPFD_CLOEXEC, 3));
  if (!source.valid()) failed(name, errno);
  const int parent = parent_descriptor(path);
  if (::linkat(source.get(), base_of(to.text()).c_str(), parent, base_of(path).c_str(), 0) != 0) failed(name, errno);
  Node node = listing_.nodes[of];
  node.path = path;
  listing_.nodes.push_back(std::move(node));
  made_[path] = Made{NodeKind::file, true, listing_.nodes.size() - 1, {}};
}

void TreeWriter::begin_file(std::string_view name, const Attributes& attributes) {
  const std::string path = checked(name);
  if (path.empty() || made_.contains(path)) refuse(name, "it is there twice");
  count_member(path);
  const int parent = parent_descriptor(path);
  const auto mode = static_cast<mode_t>(frozen_mode(attributes.mode, NodeKind::file));
  file_.reset(::openat(parent, base_of(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file_.valid()) failed(name, errno);
  file_node_ = remember(path, NodeKind::file, attributes).node;
  file_name_ = path;
  at_ = 0;
  sum_.start();
}

void TreeWriter::write(std::string_view bytes) {
  count_bytes(bytes.size());
  sum_.add(bytes);
  at_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) failed(file_name_, count < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void TreeWriter::fill_with_zeros(std::uint64_t until) {
  static const std::string zeros(64 * 1024, '\0');
  while (at_ < until)
    write(std::string_view(zeros).substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), until - at_))));
}

void TreeWriter::data(std::uint64_t offset, std::string_view bytes) {
  if (offset < at_) refuse(file_name_, "its blocks lie over each other");
  fill_with_zeros(offset);
  write(bytes);
}

void TreeWriter::end_file(std::uint64_t size) {
  fill_with_zeros(size);
  Node& node = listing_.nodes[file_node_];
  node.size = at_;
  node.sum = sum_.value();
  // The umask may have taken bits away.
  if (::fchmod(file_.get(), static_cast<mode_t>(node.mode)) != 0 ||
      ::futimens(file_.get(), times_of(node.mtime_ns).data()) != 0)
    failed(file_name_, errno);
  file_.reset();
}

// Follows `target` as the kernel would, over what was made; what is not there is followed by name.
bool TreeWriter::leads_out(const std::string& link, const std::string& target) const {
  if (target.starts_with('/')) return true;
  std::vector<std::string> at = member_name(parent_of(link)).components;
  std::deque<std::string> rest;
  const auto put_first = [&rest](const std::string& text) {
    std::size_t end = text.size();
    while (true) {
      const std::size_t slash = end == 0 ? std::string::npos : text.rfind('/', end - 1);
      const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
      rest.push_front(text.substr(start, end - start));
      if (slash == std::string::npos) return;
      end = slash;
    }
  };
  put_first(target);
  int hops = 0;
  while (!rest.empty()) {
    const std::string next = rest.front();
    rest.pop_front();
    if (next.empty() || next == ".") continue;
    if (next == "..") {
      if (at.empty()) return true;
      at.pop_back();
      continue;
    }
    at.push_back(next);
    MemberName here;
    here.components = at;
    const auto found = made_.find(here.text());
    if (found == made_.end() || found->second.kind != NodeKind::symlink) continue;
    if (++hops > kMaxHops) return false;  // a loop leads nowhere
    if (found->second.target.starts_with('/')) return true;
    at.pop_back();
    put_first(found->second.target);
  }
  return false;
}

void TreeWriter::check_symlinks() const {
  for (const Node& node : listing_.nodes) {
    if (node.kind != NodeKind::symlink) continue;
    const std::string& target = made_.at(node.path).target;
    if (leads_out(node.path, target)) refuse(node.path, "it is a symlink to '" + printable(target) + "', out of the entry");
  }
}

Listing TreeWriter::finish() {
  check_symlinks();
  listing_.sort();
  for (auto node = listing_.nodes.rbegin(); node != listing_.nodes.rend(); ++node) {
    if (node->kind != NodeKind::directory || node->path.empty()) continue;
    const int parent = descriptor_of(parent_of(node->path));
    const std::string base = base_of(node->path);
    if (::utimensat(parent, base.c_str(), times_of(node->mtime_ns).data(), AT_SYMLINK_NOFOLLOW) != 0 ||
        ::fchmodat(parent, base.c_str(), static_cast<mode_t>(node->mode), 0) != 0)
      failed(node->path, errno);
  }
  const int top = descriptor_of("");
  const Node& root = listing_.nodes.front();
  if (::futimens(top, times_of(root.mtime_ns).data()) != 0 || ::fchmod(top, static_cast<mode_t>(root.mode)) != 0)
    failed("", errno);
  return std::move(listing_);
}

}  // namespace wtpool::store
