#include "daemon/git/source/ref_snapshot.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <filesystem>
#include <set>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/packed_refs.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 8;
constexpr int kDeepest = 5;  // symbolic refs behind each other, as for git
constexpr std::size_t kLongest = 4096;
constexpr std::string_view kSymbolic = "ref: ";
constexpr std::string_view kHeads = "refs/heads/";

// Which file a path named; any two writes of a ref give two of them, since git renames a new file into place.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};
Stamp stamp_of(const struct ::stat& stat) { return {stat.st_dev, stat.st_ino, stat.st_size, changed_ns(stat)}; }

// Of the file itself and, where it is a link, never of what it leads to.
std::optional<Stamp> stamp_at(const fs::path& path) {
  const auto stat = lstat_of(path);
  return stat ? std::optional(stamp_of(*stat)) : std::nullopt;
}

bool is_plain(const std::string& ref) {
  if (!ref.starts_with("refs/") || ref.find('\0') != std::string::npos) return false;
  for (const fs::path& part : fs::path(ref)) {
    if (part.empty() || part == ".." || part == ".") return false;
  }
  return true;
}

bool is_per_worktree(const std::string& ref) {
  return ref.starts_with("refs/bisect/") || ref.starts_with("refs/worktree/") || ref.starts_with("refs/rewritten/");
}

// Where a ref stands: in the common directory, or in a worktree's entry (empty: nobody's) when it is that worktree's own.
struct RefFile {
  fs::path path;
  bool own = false;
};
RefFile file_of(const fs::path& common, const std::string& ref, const fs::path& entry) {
  const bool own = is_per_worktree(ref) && !entry.empty();
  return {(own ? entry : common) / ref, own};
}

std::string target_of(const std::string& text) { return trimmed(text.substr(kSymbolic.size())); }

// One reading of files, which counts if each of them was still the same one at its end.
class Reading {
 public:
  explicit Reading(fs::path common) : common_(std::move(common)) {}

  // git takes a symbolic link for a HEAD, too. Nothing where no HEAD can be read.
  std::optional<std::string> head(const fs::path& entry) {
    std::error_code failed;
    const fs::path link = fs::read_symlink(entry / "HEAD", failed);
    return failed ? text(entry / "HEAD") : std::string(kSymbolic) + link.string();
  }

  // Reads the files of a ref and of those it stands for.
  void read_loose(std::string ref, const fs::path& entry) {
    for (int depth = 0; depth <= kDeepest && is_plain(ref); ++depth) {
      const auto file = file_of(common_, ref, entry);
      const auto [at, added] = said_.try_emplace(file.path.string());
      if (added) at->second = text(file.path);
      if (!at->second || !at->second->starts_with(kSymbolic)) return;
      ref = target_of(*at->second);
    }
  }

  // The value of a ref whose files were read. Only after all: what `pack-refs` takes away while loose refs are read stands in
  // the packed-refs that is opened then.
  std::optional<Oid> value(std::string ref, const fs::path& entry) {
    for (int depth = 0; depth <= kDeepest && is_plain(ref); ++depth) {
      const auto file = file_of(common_, ref, entry);
      const auto& text = said_[file.path.string()];
      if (!text) return file.own ? std::nullopt : packed(ref);
      if (!text->starts_with(kSymbolic)) return oid_from(*text);
      ref = target_of(*text);
    }
    return std::nullopt;
  }

  [[nodiscard]] bool undisturbed() const {
    for (const auto& [file, stamp] : seen_) {
      if (stamp_at(file) != stamp) return false;
    }
    return true;
  }

 private:
  // Without spaces at its end; nothing where no regular file stands: branches below a name are its directory.
  std::optional<std::string> text(const fs::path& file) {
    Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd.valid()) {
      const int why = errno;
      if (why != ENOENT && why != ENOTDIR && why != ELOOP && why != ENXIO) throw io_error("cannot read", file, why);
      seen_.emplace_back(file, stamp_at(file));
      return std::nullopt;
    }
    struct ::stat stat {};
    if (::fstat(fd.get(), &stat) != 0) throw io_error("cannot read", file, errno);
    if (!S_ISREG(stat.st_mode)) return std::nullopt;
    seen_.emplace_back(file, stamp_of(stat));
    char buffer[kLongest];
    const auto got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0) throw io_error("cannot read", file, errno);
    return trimmed(std::string_view(buffer, static_cast<std::size_t>(got)));
  }

  std::optional<Oid> packed(const std::string& ref) {
    if (!packed_) {
      seen_.emplace_back(common_ / "packed-refs", stamp_at(common_ / "packed-refs"));
      packed_ = PackedRefs::open(common_);
    }
    return packed_->value(ref);
  }

  fs::path common_;
  std::map<std::string, std::optional<std::string>> said_;  // by file: an id, another ref, or nothing
  std::vector<std::pair<fs::path, std::optional<Stamp>>> seen_;
  std::optional<PackedRefs> packed_;
};

}  // namespace

template <class Files>
RefSnapshot RefSnapshot::read(Files& files, const std::string& common_dir, const Wanted& wanted) {
  const auto entry_of = [&](const std::string& git_id) {
    return git_id.empty() ? fs::path(common_dir) : fs::path(common_dir) / "worktrees" / git_id;
  };
  std::map<std::string, std::string> heads;
  for (const auto& git_id : wanted.heads) {
    if (const auto text = files.head(entry_of(git_id))) heads.emplace(git_id, *text);
  }
  for (const auto& [git_id, text] : heads) {
    if (text.starts_with(kSymbolic)) files.read_loose(target_of(text), entry_of(git_id));
  }
  for (const auto& ref : wanted.refs) files.read_loose(ref, {});

  RefSnapshot snapshot;
  for (const auto& ref : wanted.refs) snapshot.refs_[ref] = files.value(ref, {});
  for (const auto& git_id : wanted.heads) {
    Head& head = snapshot.heads_[git_id];
    const auto text = heads.find(git_id);
    if (text == heads.end()) continue;
    if (!text->second.starts_with(kSymbolic)) {
      head.oid = oid_from(text->second);
      continue;
    }
    const std::string ref = target_of(text->second);
    if (is_plain(ref) && ref.starts_with(kHeads)) head.branch = ref.substr(kHeads.size());
    head.oid = files.value(ref, entry_of(git_id));
  }
  return snapshot;
}

RefSnapshot RefSnapshot::take(const std::string& common_dir, const Wanted& wanted) {
  for (int attempt = 1;; ++attempt) {
    Reading reading(common_dir);
    auto snapshot = read(reading, common_dir, wanted);
    if (attempt == kTries || reading.undisturbed()) return snapshot;
  }
}

std::optional<Oid> RefSnapshot::value(const std::string& ref) const {
  const auto found = refs_.find(ref);
  if (found == refs_.end()) {
    throw proto::Error(proto::ErrorKind::internal, "internal error: no value of " + printable(ref) + " was read");
  }
  return found->second;
}

const RefSnapshot::Head& RefSnapshot::head(const std::string& git_id) const {
  const auto found = heads_.find(git_id);
  if (found == heads_.end()) {
    throw proto::Error(proto::ErrorKind::internal, "internal error: HEAD of " + printable(git_id) + " was not read");
  }
  return found->second;
}

}  // namespace wtpool::git
