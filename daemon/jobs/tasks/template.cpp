// A slot becomes a template: 1. it is clean by git's word, and no process is left in it; 2. its commit is pinned by a ref; 3.
// what is to be kept is cloned, into a subvolume where that can be; 4. the clone's index is made, and git itself says that the
// clone is clean; 5. all of it is on the disk; 6. its record is written: from then on it is used.
#include "daemon/jobs/tasks/template.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/clone.hpp"
#include "common/platform/process.hpp"
#include "common/platform/subvolume.hpp"
#include "daemon/git/files/index_repair.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/tree/checkout_settings.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/undo_steps.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "daemon/jobs/steps/frozen_plan.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

proto::TemplateInfo info_of(const PoolKey& pool, const Template& one) {
  const auto& record = one.record;
  proto::TemplateInfo info;
  info.pool = pool.str();
  info.group = record.group;
  info.id = record.id;
  info.commit = record.commit.str();
  info.made_at = record.made_at;
  info.slot = record.slot;
  info.create = record.create;
  info.files = record.files;
  info.bytes = record.bytes;
  info.disk_bytes = record.disk_bytes;
  for (const auto& carried : record.carried) {
    proto::CarriedPath path{carried.path, carried.files, carried.bytes, {}};
    for (const auto& guard : carried.guards) path.guards.push_back(guard.path);
    info.carried.push_back(std::move(path));
  }
  info.left_out = record.left_out;
  info.damaged = damage_of(one).has_value();
  return info;
}

class Freezing {
 public:
  Freezing(JobContext& job, const core::job::MakeTemplate& spec)
      : job_(job), spec_(spec), lock_(take_slot_lock(job)), slot_(job.slot_git(job.grant.git_id, lock_)) {
    record_.id = new_trash_id(LeaseId(random_hex(32)));
    directory_ = job.pool->files.template_files(record_.id);
  }

  core::done::TemplateMade run() {
    try {
      check_disk();
      spec_.lease ? prove_place(job_, job_.grant.git_id) : prove_idle(job_, job_.grant.git_id);
      check_processes();
      check_clean();
      const FrozenPlan plan(slot_, job_.pool->config);
      pin();
      clone(plan);
      make_index();
      check_clone();
      return publish();
    } catch (const core::Error&) {
      (void)steps_.roll_back();
      throw;
    }
  }

 private:
  void check_disk() {
    const HowToCreate how = how_to_create(*job_.pool);
    if (how.way == Way::checkout) throw cannot_freeze(*job_.pool, how.why);
    record_.create = how.way == Way::snapshot ? "snapshot" : "reflink";
  }

  void check_processes() const {
    const auto lease = spec_.lease ? "WTPOOL_LEASE=" + spec_.lease->id.str() : std::string{};
    for (const auto& process : platform::processes_with_environment_or_inside(lease, job_.slot_path())) {
      if (std::ranges::find(spec_.caller_pids, process.pid) != spec_.caller_pids.end()) continue;
      throw core::Error(core::ErrorKind::contended, "cannot freeze " + job_.grant.slot.str() + ": process " +
                                                        std::to_string(process.pid) + " (" + process.command +
                                                        ") is still in it");
    }
  }

  void check_clean() {
    job_.progress("verifying");
    const auto look = git::look(slot_, git::Untracked::no, true);
    if (!look.head) throw core::Error(core::ErrorKind::dirty, "cannot freeze " + job_.grant.slot.str() + ": it has no commit");
    if (!look.changed.empty()) {
      throw core::Error(core::ErrorKind::dirty,
                        "cannot freeze " + job_.grant.slot.str() + ": " + std::to_string(look.changed.size()) +
                            " tracked files differ from its commit, " + printable(look.changed.front()) + " is the first");
    }
    record_.commit = *look.head;
    record_.group = spec_.group;
    record_.slot = job_.grant.slot.str();
    record_.settings = git::checkout_settings(job_.source_git(), job_.pool->config.filters);
  }

  // The directory comes first: what a kill leaves is then found by it, the ref too.
  void pin() {
    make_directories(job_.pool->files.template_dir(), 0755, true);
    free_before_ = free_bytes(job_.pool->files.template_dir()).value_or(0);
    steps_.done("remove the template", [directory = directory_] {
      if (!remove_subvolume(directory / "tree") && is_read_only(directory / "tree")) set_read_only(directory / "tree", false);
      remove_tree(directory);
    });
    make_directories(directory_, 0755, true);
    const git::Git source = job_.source_git();
    const std::string ref = "refs/wtpool/template/" + record_.id;
    steps_.done("unpin the commit", [source, ref, commit = record_.commit] {
      const git::Git undo = undo_git(source);
      if (!git::ids_of(undo, {ref}).front()) return;
      git::RefTransaction unpin;
      unpin.remove(ref, commit);
      unpin.commit(undo);
    });
    git::RefTransaction pinned;
    pinned.create(ref, record_.commit);
    pinned.commit(source);
    FAILPOINT("template.pinned");
  }

  void clone(const FrozenPlan& plan) {
    job_.progress("freezing");
    const auto tree = directory_ / "tree";
    record_.create == "snapshot" ? make_subvolume(tree) : make_directories(tree);
    FAILPOINT("template.begun");
    CloneOptions options;
    options.keep = [&plan](const std::string& path, bool is_directory) { return plan.keep(path, is_directory); };
    options.stop = [this] { return job_.stop.stop_requested(); };
    const CloneReport report = clone_tree(job_.slot_path(), tree, options);
    FAILPOINT("template.cloned");
    record_.files = static_cast<std::int64_t>(report.files);
    record_.bytes = static_cast<std::int64_t>(report.bytes);
    record_.left_out = plan.left_out(report);
    record_.carried = plan.carried();
    for (auto& carried : record_.carried) count(tree, carried);
  }

  // The tree is the daemon's own by now.
  static void count(const disk::path& tree, disk::CarriedPath& carried) {
    const auto add = [&carried](const disk::path& file) {
      const auto stat = lstat_of(file);
      if (!stat || S_ISDIR(stat->st_mode)) return;
      ++carried.files;
      carried.bytes += S_ISREG(stat->st_mode) ? stat->st_size : 0;
    };
    const auto top = tree / carried.path;
    if (!is_directory_no_follow(top)) return add(top);
    std::error_code ignored;
    for (std::filesystem::recursive_directory_iterator each(top, ignored), end; !ignored && each != end;
         each.increment(ignored))
      add(each->path());
  }

  void make_index() {
    const auto repaired = git::repair_index(job_.entry(job_.grant.git_id).entry / "index", job_.slot_path(),
                                            directory_ / "tree", directory_ / "index");
    if (!repaired.foreign) return;
    // Of a form that is not read here: made anew, all of it to be hashed once.
    ask({"-c", "core.splitIndex=false", "-c", "index.sparse=false", "read-tree", record_.commit.str()});
  }

  std::string ask(std::vector<std::string> arguments) const {
    git::Command command;
    command.arguments = std::move(arguments);
    command.environment = {{"GIT_INDEX_FILE", (directory_ / "index").string()}};
    command.may_filter = true;
    const auto& place = slot_.place();
    return slot_.with_place({place.git_dir, (directory_ / "tree").string(), place.source}).must(command);
  }

  // git hashes what is not proven, and writes down what it found: slots that are made of it need not do that again.
  void check_clone() {
    const std::string changed = ask({"status", "--porcelain", "-z", "--untracked-files=no"});
    if (!changed.empty()) {
      throw core::Error(core::ErrorKind::dirty,
                        "cannot freeze " + job_.grant.slot.str() + ": " + printable(changed.substr(0, changed.find('\0'))) +
                            " changed while it was frozen, or its size and times hid that it had changed");
    }
    job_.check_stop();
  }

  core::done::TemplateMade publish() {
    const auto tree = directory_ / "tree";
    if (record_.create == "snapshot") set_read_only(tree, true);
    sync_file_system(directory_);
    FAILPOINT("template.synced");
    if (record_.create == "snapshot") record_.generation = generation_of(tree);
    record_.made_ns = now_ns();
    record_.made_at = record_.made_ns / 1'000'000'000;
    record_.boot_id = platform::boot_id();
    record_.synced = true;
    const auto free_after = free_bytes(directory_.parent_path()).value_or(0);
    record_.disk_bytes = free_before_ > free_after ? static_cast<std::int64_t>(free_before_ - free_after) : 0;
    disk::write_template_record(directory_ / "template.yaml", record_);
    FAILPOINT("template.recorded");
    steps_.commit();
    const auto made = std::make_shared<const Template>(record_, directory_);
    job_.pool->templates->put(made);
    delete_unused_templates(job_);
    return {info_of(job_.pool->key, *made)};
  }

  JobContext& job_;
  const core::job::MakeTemplate& spec_;
  disk::SlotLock lock_;
  git::Git slot_;
  disk::TemplateRecord record_;
  disk::path directory_;
  std::uint64_t free_before_ = 0;
  Steps steps_;
};

}  // namespace

core::JobDone make_template(JobContext& job, const core::job::MakeTemplate& spec) { return Freezing(job, spec).run(); }

core::JobDone list_templates(JobContext& job, const core::job::ListTemplates& spec) {
  core::done::TemplatesListed listed;
  for (const PoolKey& key : spec.pools) {
    const auto pool = job.pools->find(key);
    if (!pool || !pool->templates) continue;
    for (const auto& each : pool->templates->all()) listed.templates.push_back(info_of(key, *each));
  }
  return listed;
}

core::JobDone drop_template(JobContext& job, const core::job::DropTemplate& spec) {
  if (!job.pool->templates->drop(spec.id)) {
    throw core::Error(core::ErrorKind::io_error,
                      "cannot drop template " + printable(spec.id) + ": pool " + job.pool->key.str() + " has none of that id",
                      "wtpool template ls --pool " + proto::shell_word(job.pool->key.str()));
  }
  // Without its record it is used no more, whatever becomes of the rest.
  unlink_durably(job.pool->files.template_files(spec.id) / "template.yaml");
  FAILPOINT("template.dropped");
  delete_unused_templates(job);
  return core::done::Plain{};
}

}  // namespace wtpool::jobs
