// How a seal is made. Why no writer escapes, whatever it does and whenever:
// First the directories are watched. Then each file is opened, has one link, and gets a lease: at that moment nobody has it
// open or mapped for writing, under any name, and it has no other name to be opened by. Whoever writes to it after that opens
// it by the name we watch, which is an event, or changes it by that name alone, which is one, too. So what git looks at last is
// what stands there, or there is an event. git itself opens a file here and there; for each file with such an event everything
// is asked once more, since behind git's opening another's may hide: if that one still could write, the lease is refused; if
// not any more, its end is an event (closed after writing). The kernel leaves out an event that equals the one before it in the
// queue, and our own opening of a file is one that a writer's may equal. But it counts a writer first, then waits for leases to
// end, then opens, then tells. A writer counted before our lease refuses us the lease. One after it waits until we close the
// file, and we close a file only when the next one was opened, or when the queue was read: its event then stands behind another
// one and is seen. A foreign opening for reading may be left out so; who has it cannot write by it.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/writers.hpp"
#include "daemon/git/seal/seal.hpp"
#include "daemon/git/seal/tracked_files.hpp"
#include "daemon/git/tree/blocking_files.hpp"
#include "daemon/git/tree/status.hpp"

namespace wtpool::git {

namespace {

namespace fs = std::filesystem;
using platform::TreeWatch;
using platform::Writers;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Why = NoSeal::Why;
using Refusal = std::optional<NoSeal>;

// Two changes within the clock's grain may leave the same time on a file; the kernel's is 10 ms at most.
constexpr std::int64_t kGrainNs = 20'000'000;
constexpr milliseconds kPatience{1000};
constexpr milliseconds kAskAgain{5};
// Files; far from what the system keeps for us (16,384 events), and a stop is heard in between.
constexpr std::size_t kBatch = 500;
constexpr std::size_t kDirectoriesBetweenStops = 200;

std::int64_t file_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Refusal refuse(Why why, std::string text) { return NoSeal{why, std::move(text)}; }

std::string named(std::string_view path) { return path.empty() ? "the slot's directory" : printable(path); }

}  // namespace

class Sealing {
 public:
  Sealing(const Git& slot, const Seal::Wanted& wanted, Seal& seal)
      : slot_(slot), wanted_(wanted), seal_(seal), root_(slot.place().work_tree) {}

  Refusal run() {
    using Step = Refusal (Sealing::*)();
    for (const Step step : {&Sealing::remember_files, &Sealing::list_directories, &Sealing::watch_directories,
                            &Sealing::look_for_writers, &Sealing::verify, &Sealing::compare_files}) {
      check_stop();
      if (Refusal refusal = (this->*step)()) return refusal;
    }
    return std::nullopt;
  }

 private:
  void check_stop() const {
    if (slot_.context().stop.stop_requested()) throw proto::Error(proto::ErrorKind::cancelled, "sealing was cancelled");
  }

  [[nodiscard]] std::string path_of(const TrackedDirectory& directory) const {
    return directory.path.empty() ? root_ : root_ + "/" + directory.path;
  }

  // 1. So old that the next change shows in them.
  Refusal remember_files() {
    if (!platform::is_local(root_)) return refuse(Why::unsupported, "its file system is none whose every writer is known");
    seal_.root_stamp_ = stamp_of(root_);
    std::vector<std::string> names = wanted_.private_files;
    names.push_back(root_ + "/.git");
    const auto until = steady_clock::now() + kPatience;
    for (;;) {
      seal_.files_.clear();
      for (const std::string& name : names) seal_.files_.push_back({name, stamp_of(name), std::nullopt});
      for (const std::string& name : wanted_.shared_files) seal_.files_.push_back({name, stamp_of(name), content_of(name)});
      const std::int64_t now = file_clock_ns();
      const auto young = std::find_if(seal_.files_.begin(), seal_.files_.end(), [&](const auto& file) {
        return file.stamp.present && std::abs(now - file.stamp.changed_ns) < kGrainNs;
      });
      if (young == seal_.files_.end()) return std::nullopt;
      if (steady_clock::now() >= until) return refuse(Why::busy, printable(young->path) + " does not come to rest");
      struct ::pollfd stop {
        slot_.context().stop.descriptor(), POLLIN, 0
      };
      ::poll(&stop, 1, static_cast<int>(kAskAgain.count()));
      check_stop();
    }
  }

  // 2.
  Refusal list_directories() {
    list_tracked(slot_, tracked_);
    if (tracked_.strange) return refuse(Why::unsupported, "its index has a strange path: " + named(*tracked_.strange));
    if (tracked_.hidden) return refuse(Why::dirty, named(*tracked_.hidden) + " is marked as unchanged, so git does not look");
    if (tracked_.unmerged) return refuse(Why::dirty, named(*tracked_.unmerged) + " is not merged");
    const std::size_t count = tracked_.directories.size();
    if (count > wanted_.watch_limit) {
      return refuse(Why::limit,
                    std::to_string(count) + " directories are more than the " + std::to_string(wanted_.watch_limit) + " left");
    }
    watch_of_.assign(count, -1);
    return std::nullopt;
  }

  // 3. From above to below: what takes a watched directory's place is seen from the directory above.
  Refusal watch_directories() {
    std::set<int> different;
    std::set<std::string> directories;
    for (std::size_t i = 0; i < watch_of_.size(); ++i) {
      if (i % kDirectoriesBetweenStops == 0) check_stop();
      const TrackedDirectory& directory = tracked_.directories[i];
      const int given = seal_.watch_.add(path_of(directory));
      if (given >= 0) {
        watch_of_[i] = given;
        if (!different.insert(given).second) {
          return refuse(Why::unsupported, named(directory.path) + " is there twice");
        }
        directories.insert(directory.path);
        continue;
      }
      const int why = errno;
      if (why == ENOSPC) return refuse(Why::limit, "the system gives no more watches (fs.inotify.max_user_watches)");
      if (why != ENOENT && why != ENOTDIR && why != ELOOP) {
        return refuse(Why::unsupported, io_error("cannot watch", path_of(directory), why).message);
      }
      if (!directory.may_be_absent) return refuse(Why::dirty, named(directory.path) + " is no directory");
    }
    seal_.root_watch_ = watch_of_.front();
    seal_.watches_ = different.size();
    // Before the first git looks; one that is made from here on is an event.
    if (const auto blocking = blocking_files_in(root_, directories); !blocking.empty()) {
      return refuse(Why::dirty, named(blocking.front()) + " is no file, and git would wait for it");
    }
    for (const std::string& submodule : tracked_.submodules) {
      if (lstat_of(fs::path(root_) / submodule / ".git")) {
        return refuse(Why::unsupported, "the submodule " + named(submodule) + " is filled");
      }
    }
    return std::nullopt;
  }

  // git opens each file whose stat leaves a doubt, and those may be more than the system keeps events.
  TreeLook look_and_listen(std::vector<TreeWatch::Event>& events) {
    const StopToken looked;
    std::thread listener([&] {
      while (!looked.stop_requested()) {
        struct ::pollfd either[2] = {{seal_.watch_.fd(), POLLIN, 0}, {looked.descriptor(), POLLIN, 0}};
        ::poll(either, 2, -1);
        std::vector<TreeWatch::Event> more = seal_.watch_.drain();
        std::move(more.begin(), more.end(), std::back_inserter(events));
      }
    });
    const auto end = [&] {
      looked.request_stop();
      listener.join();
    };
    try {
      TreeLook seen = look(slot_, Untracked::no, false);
      end();
      std::vector<TreeWatch::Event> rest = seal_.watch_.drain();
      std::move(rest.begin(), rest.end(), std::back_inserter(events));
      return seen;
    } catch (...) {
      end();
      throw;
    }
  }

  [[nodiscard]] bool read_of_git_file(const TreeWatch::Event& event) const {
    return event.kind == TreeWatch::Kind::opened && event.directory == seal_.root_watch_ && event.name == ".git";
  }

  Refusal happened(const TreeWatch::Event& event) const {
    if (event.kind == TreeWatch::Kind::overflow) return refuse(Why::busy, "more happened to it than the system keeps");
    const auto found = std::find(watch_of_.begin(), watch_of_.end(), event.directory);
    const std::string where =
        found == watch_of_.end() ? "" : tracked_.directories[static_cast<std::size_t>(found - watch_of_.begin())].path;
    return refuse(Why::busy, "something happened to " + named(event.name.empty() ? where
                                                              : where.empty()    ? event.name
                                                                                 : where + "/" + event.name));
  }

  // 4.
  Refusal look_for_writers() {
    for (std::size_t i = 0; i < watch_of_.size(); ++i) {
      if (Refusal refusal = look_for_writers_in(i, tracked_.directories[i].files)) return refusal;
    }
    return only_we_opened();
  }

  Refusal look_for_writers_in(std::size_t i, const std::vector<const char*>& names) {
    if (names.empty()) return std::nullopt;
    const TrackedDirectory& directory = tracked_.directories[i];
    // Not an opening that makes an event.
    const Fd place(::open(path_of(directory).c_str(), kPlace | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!place.valid()) return cannot_open(directory.path, errno);
    for (const char* name : names) {
      if (Refusal refusal = look_for_writer(i, place, name)) return refusal;
      if (expected_.size() < kBatch) continue;
      if (Refusal refusal = only_we_opened()) return refusal;
      check_stop();
    }
    return std::nullopt;
  }

  Refusal look_for_writer(std::size_t i, const Fd& place, const char* name) {
    const auto path = [&] {
      const std::string& directory = tracked_.directories[i].path;
      return directory.empty() ? std::string(name) : directory + "/" + name;
    };
    // Not to wait for another's lease either.
    Fd file(::openat(place.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file.valid()) return cannot_open(path(), errno);
    struct ::stat stat {};
    if (::fstat(file.get(), &stat) != 0) throw io_error("cannot look at", path(), errno);
    if (!S_ISREG(stat.st_mode)) return refuse(Why::busy, named(path()) + " is no file any more");
    if (static_cast<std::uint64_t>(stat.st_dev) != seal_.root_stamp_.device) {
      return refuse(Why::unsupported, named(path()) + " is on another file system");
    }
    if (stat.st_nlink != 1) return refuse(Why::unsupported, named(path()) + " has another hard link");
    if (stat.st_uid != user_) return refuse(Why::unsupported, named(path()) + " belongs to another user");
    const Writers writers = platform::writers_of(file.get());
    if (writers == Writers::some) return refuse(Why::busy, named(path()) + " is open for writing");
    if (writers == Writers::unknown) {
      return refuse(Why::unsupported, "the system does not say who has " + named(path()) + " open");
    }
    last_ = std::move(file);  // only now the one before is closed
    expected_.emplace_back(watch_of_[i], name);
    return std::nullopt;
  }

  static Refusal cannot_open(const std::string& path, int why) {
    if (why == EMFILE || why == ENFILE || why == ENOMEM) throw io_error("cannot open", path, why);
    if (why == EACCES || why == EPERM) return refuse(Why::unsupported, named(path) + " cannot be read");
    return refuse(Why::busy, io_error("cannot open", path, why).message);
  }

  // The events must be our openings and nothing else. That they came from these very directories also says that no symlink
  // and no mount led us elsewhere.
  Refusal only_we_opened() {
    auto next = expected_.begin();
    for (const TreeWatch::Event& event : seal_.watch_.drain()) {
      if (read_of_git_file(event)) continue;
      const bool ours = next != expected_.end() && event.kind == TreeWatch::Kind::opened && event.directory == next->first &&
                        event.name == next->second;
      if (!ours) return happened(event);
      ++next;
    }
    if (next != expected_.end())
      return refuse(Why::busy, "the system does not tell that " + named(next->second) + " was opened");
    expected_.clear();
    last_.reset();
    return std::nullopt;
  }

  // 5.
  Refusal verify() {
    std::vector<TreeWatch::Event> events;
    const TreeLook seen = look_and_listen(events);
    if (seen.branch || !seen.head) return refuse(Why::dirty, "HEAD is not detached at a commit");
    seal_.at_ = *seen.head;
    if (!seen.changed.empty()) return refuse(Why::dirty, named(seen.changed.front()) + " is changed");
    for (const std::string& path : tracked_.left_out) {
      if (lstat_of(fs::path(root_) / path)) return refuse(Why::dirty, named(path) + " is there, and git does not look at it");
    }
    std::map<int, std::set<std::string>> opened;
    for (const TreeWatch::Event& event : events) {
      if (read_of_git_file(event)) continue;
      if (event.kind != TreeWatch::Kind::opened) return happened(event);
      opened[event.directory].insert(event.name);
    }
    for (std::size_t i = 0; i < watch_of_.size() && !opened.empty(); ++i) {
      const auto found = opened.find(watch_of_[i]);
      if (found == opened.end()) continue;
      std::vector<const char*> again;
      for (const char* name : tracked_.directories[i].files) {
        if (found->second.erase(name) > 0) again.push_back(name);
      }
      if (!found->second.empty()) return happened({watch_of_[i], TreeWatch::Kind::opened, *found->second.begin()});
      if (Refusal refusal = look_for_writers_in(i, again)) return refusal;
      opened.erase(found);
    }
    return only_we_opened();
  }

  // 6.
  Refusal compare_files() {
    for (const auto& file : seal_.files_) {
      // Stricter than for a seal that stands: git may have read what it said in between.
      if (stamp_of(file.path) != file.stamp) return refuse(Why::busy, printable(file.path) + " was changed");
    }
    if (!seal_.intact()) return refuse(Why::busy, "something happened to it in the last moment");
    return std::nullopt;
  }

#ifdef O_PATH
  static constexpr int kPlace = O_PATH;
#else
  static constexpr int kPlace = O_RDONLY;
#endif

  const Git& slot_;
  const Seal::Wanted& wanted_;
  Seal& seal_;
  std::string root_;
  const ::uid_t user_ = ::geteuid();
  Tracked tracked_;
  std::vector<int> watch_of_;  // by directory; negative: it is absent
  std::vector<std::pair<int, const char*>> expected_;
  Fd last_;
};

std::variant<std::unique_ptr<Seal>, NoSeal> Seal::make(const Git& slot, const Wanted& wanted, const Retire& retire) {
  auto watch = TreeWatch::make();
  if (!watch) {
    const int why = errno;
    if (why == EMFILE) return NoSeal{Why::limit, "the system gives no more inotify instances (fs.inotify.max_user_instances)"};
    if (why == ENOTSUP || why == ENOSYS) return NoSeal{Why::unsupported, "this system does not tell what happens to files"};
    throw io_error("cannot watch", slot.place().work_tree, why);
  }
  std::unique_ptr<Seal> seal(new Seal(std::move(*watch), slot.place().work_tree));
  const auto give_up = [&] {
    seal->broken_ = true;
    if (retire) retire(std::move(seal));
  };
  try {
    if (Refusal refusal = Sealing(slot, wanted, *seal).run()) {
      give_up();
      return std::move(*refusal);
    }
  } catch (...) {
    give_up();
    throw;
  }
  return seal;
}

}  // namespace wtpool::git
