#include "daemon/git/work/keeping_room.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/source/durable_objects.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRoom = "objects-";
constexpr const char* kSaysWhose = "wtpool\n";   // in a .keep of ours
constexpr std::int64_t kForgotten = 24 * 3600;  // seconds; no save takes so long: whoever made it was killed

fs::path new_room(const fs::path& common) {
  const fs::path room = common / "wtpool" / (std::string(kRoom) + random_hex(16));
  make_directories(room / "pack");
  return room;
}

// A list of directories, in which a colon parts them, and quotes say that none does.
std::string quoted(const std::string& path) {
  std::string text = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

Git in_room(const Git& git, const fs::path& common, const fs::path& room) {
  Context context = git.context();
  context.environment.emplace_back("GIT_OBJECT_DIRECTORY", room.string());
  context.environment.emplace_back("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted((common / "objects").string()));
  context.helpers = nullptr;  // they do not see in here
  return {git.place(), std::move(context)};
}

bool is_forgotten(const fs::path& path) {
  const auto stat = lstat_of(path);
  return stat && wall_now() - static_cast<std::int64_t>(stat->st_mtime) > kForgotten;
}

// What daemons that were killed left; nobody else knows of these names.
void sweep(const fs::path& common) {
  for (const fs::path& room : children_of(common / "wtpool")) {
    if (room.filename().string().starts_with(kRoom) && is_forgotten(room)) remove_tree(room);
  }
  for (const fs::path& file : children_of(common / "objects/pack")) {
    if (file.extension() == ".keep" && is_forgotten(file) && read_file(file) == kSaysWhose) ::unlink(file.c_str());
  }
}

void move_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw io_error("cannot put into place", to, errno);
}

}  // namespace

HeldPack::HeldPack(HeldPack&& other) noexcept : stem_(std::exchange(other.stem_, {})) {}

HeldPack& HeldPack::operator=(HeldPack&& other) noexcept {
  if (this != &other) {
    let_go();
    stem_ = std::exchange(other.stem_, {});
  }
  return *this;
}

bool HeldPack::stands() const {
  return stem_.empty() || (lstat_of(stem_.string() + ".idx") && lstat_of(stem_.string() + ".pack"));
}

void HeldPack::let_go() noexcept {
  if (!stem_.empty()) ::unlink((stem_.native() + ".keep").c_str());
  stem_.clear();
}

KeepingRoom::KeepingRoom(const Git& git)
    : common_(common_dir_of(git.place())), directory_(new_room(common_)), git_(in_room(git, common_, directory_)) {}

KeepingRoom::~KeepingRoom() {
  try {
    remove_tree(directory_);
    sweep(common_);
  } catch (const proto::Error&) {  // the next one takes it along
  }
}

HeldPack KeepingRoom::hold(const std::vector<Oid>& tips, const std::vector<Oid>& known) const {
  if (tips.empty()) return {};
  std::vector<std::string> names;
  for (const Oid& old : known) names.push_back(old.str() + "^{commit}");
  Command pack;
  // No deltas are looked for: it is a matter of milliseconds for whoever waits, and the next gc makes them.
  pack.arguments = {"pack-objects", "-q",         "--revs",           "--unpacked",    "--incremental", "--non-empty",
                    "--window=0",   "--threads=1", "--compression=1", "--missing=allow-promisor",
                    (directory_ / "kept").string()};
  for (const Oid& tip : tips) pack.input += tip.str() + "\n";
  for (const auto& id : ids_of(git_, names))
    if (id) pack.input += "^" + id->str() + "\n";
  pack.task = "pack the work that is kept";
  pack.durable = true;
  pack.limit = std::chrono::hours(2);
  std::string hash;
  try {
    hash = trimmed(git_.must(pack));
  } catch (const proto::Error& error) {
    if (error.kind != proto::ErrorKind::git_failed || !error.git || error.git->exit_code != 128) throw;
    if (!speaks_of_an_object(error.git->stderr_tail)) throw;
    make_durable(git_, tips, known);  // says of which object it is, and throws
    proto::Error damaged = error;
    damaged.kind = proto::ErrorKind::quarantined;
    throw damaged;
  }
  if (hash.empty()) return {};  // all of it is in packs
  const fs::path made = directory_ / ("kept-" + hash);
  const fs::path packs = common_ / "objects/pack";
  const fs::path stem = packs / ("pack-" + hash);
  make_directories(packs, 0777);
  // Of the very same objects somebody may have a pack already that he keeps himself.
  const bool is_ours = !lstat_of(stem.string() + ".keep") || read_file(stem.string() + ".keep") == kSaysWhose;
  if (is_ours) write_atomically(stem.string() + ".keep", kSaysWhose, 0444);
  HeldPack held(is_ours ? stem : fs::path());
  move_file(made.string() + ".pack", stem.string() + ".pack");
  if (lstat_of(made.string() + ".rev")) move_file(made.string() + ".rev", stem.string() + ".rev");
  move_file(made.string() + ".idx", stem.string() + ".idx");
  sync_directory(packs);
  FAILPOINT("save.packed");
  return held;
}

HeldPack hold_objects(const Git& git, const std::vector<Oid>& tips, const std::vector<Oid>& known) {
  if (tips.empty()) return {};
  const KeepingRoom room(git);
  return room.hold(tips, known);
}

}  // namespace wtpool::git
