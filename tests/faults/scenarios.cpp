#include "tests/faults/scenarios.hpp"

namespace wtpool::test {
namespace {

void nothing(Stage&) {}

void expect_done(int code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string(what) + " ended with " + std::to_string(code));
}

// ---- before ----
void one_idle_slot(Stage& stage) {
  expect_done(stage.acquire("first"), "acquire");
  expect_done(stage.release("first"), "release");
}

void idle_elsewhere(Stage& stage) {
  one_idle_slot(stage);
  stage.repo.commit("src/main.c", "int main(void) { return 1; }\n");
  stage.repo.commit("added.txt", "of the new commit\n");
  stage.settle();
}

void strangers_wrote(Stage& stage) {
  one_idle_slot(stage);
  const auto slot = stage.world.root() / "app/slot-0";
  stage.ledger.asked("stranger");
  stage.ledger.wrote("stranger", "README.md", "of a stranger, in an idle slot\n");
  write_text(slot / "README.md", "of a stranger, in an idle slot\n");
  stage.ledger.left("stranger");
}

void untracked_in_the_way(Stage& stage) {
  expect_done(stage.acquire("first"), "acquire");
  stage.write("first", "added.txt");
  expect_done(stage.release("first"), "release");
  stage.repo.commit("added.txt", "of the new commit\n");
  stage.settle();
}

void branch_of_somebody(Stage& stage) {
  one_idle_slot(stage);
  stage.repo.git({"switch", "-q", "-c", "x"});
  const auto tip = stage.repo.commit("theirs.txt", "theirs\n");
  stage.repo.git({"switch", "-q", "main"});
  stage.settle();
  stage.ledger.asked("owner of x");
  stage.ledger.committed("owner of x", tip);
  stage.ledger.left("owner of x");
}

void held(Stage& stage) { expect_done(stage.acquire("x"), "acquire"); }

void held_dirty(Stage& stage) {
  held(stage);
  stage.write("x", "README.md");
  stage.stage("x", "src/main.c");
  stage.stage("x", "staged.txt");
  stage.write("x", "untracked.txt");
}

void held_moved(Stage& stage) {
  held(stage);
  stage.commit("x", "committed.txt");
  const auto dropped = Repo(stage.slot("x")).commit("dropped.txt", "dropped by its holder\n");
  git(stage.slot("x"), {"reset", "-q", "--hard", "HEAD~1"});
  stage.ledger.dropped("x", dropped);
  stage.commit("x", "committed.txt");
  git(stage.slot("x"), {"switch", "-q", "--detach"});
  stage.commit("x", "detached.txt");
  stage.write("x", "README.md");
}

void held_in_a_cleaning_pool(Stage& stage) {
  const auto config = stage.world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "clean: untracked\n");
  held_dirty(stage);
}

void held_with_an_untracked_gitignore(Stage& stage) {
  held_in_a_cleaning_pool(stage);
  stage.write("x", "private/covered.txt");
  write_text(stage.slot("x") / "private/.gitignore", "covered.txt\n");
}

void held_with_a_part_of_the_tree(Stage& stage) {
  held(stage);
  git(stage.slot("x"), {"update-index", "--skip-worktree", "src/main.c"});
  fs::remove(stage.slot("x") / "src/main.c");
}

void held_and_directory_lost(Stage& stage) {
  held(stage);
  stage.commit("x", "committed.txt");
  stage.stage("x", "staged.txt");
  fs::remove_all(stage.slot("x"));
}

void x_cannot_be_made(Stage& stage) { write_text(stage.repo.path() / ".git/refs/heads/x/of-somebody.lock", ""); }

void x_cannot_be_made_in_an_idle_slot(Stage& stage) {
  idle_elsewhere(stage);
  x_cannot_be_made(stage);
}

void quarantined(Stage& stage) {
  held_dirty(stage);
  stage.ledger.leaving("x");
  stage.world.stop_daemon();
  write_text(marker_of(stage.slot("x")), std::string(100, '\0'));
  stage.world.start_daemon();
  stage.settle();  // whose branch x was, nobody knows any more
}

void quarantined_without_its_entry(Stage& stage) {
  held_dirty(stage);
  stage.ledger.leaving("x");
  stage.world.stop_daemon();
  fs::remove_all(gitdir_of(stage.slot("x")));
  stage.world.start_daemon();
  stage.settle();  // whose branch x was, nobody knows any more
}

void idle_with_untracked(Stage& stage) {
  held(stage);
  stage.write("x", "untracked.txt");
  expect_done(stage.release("x"), "release");
}

void kept_work(Stage& stage) {
  held_dirty(stage);
  expect_done(stage.release("x"), "release");
}

std::string trash_of(const Stage& stage) {
  const auto list = stage.world.json_of({"trash", "ls"});
  return list.is_array() && !list.empty() ? list[0].value("id", "") : "";
}

// ---- what is done ----
void acquire_x(Stage& stage) { (void)stage.acquire("x"); }
void warm_one(Stage& stage) { (void)stage.ask({"warm", "1", "--wait"}); }
void resume_x(Stage& stage) { (void)stage.acquire("x", {"--resume"}); }
void replace_x(Stage& stage) { (void)stage.acquire("x", {"--replace"}); }
void release_x(Stage& stage) { (void)stage.release("x"); }
void discard_x(Stage& stage) { (void)stage.release("x", {"--discard"}); }
void renew_x(Stage& stage) { (void)stage.ask({"renew", "x", "--ttl", "2h"}); }
void repair_slot(Stage& stage) {
  if (stage.ask({"repair", "slot-0"}) == 0) stage.ledger.left("x");
}
void remove_slot(Stage& stage) { (void)stage.ask({"remove", "slot-0"}); }
void remove_pool(Stage& stage) { (void)stage.ask({"remove", "--pool", "app"}); }
void init_pool(Stage& stage) {
  (void)stage.ask({"init", "--pool", "other", "--source", stage.repo.path().string(), "--max-slots", "2"});
}
void restore(Stage& stage) {
  stage.before.asked_for("restored");
  (void)stage.ask({"trash", "restore", trash_of(stage), "--branch", "restored"});
}
void drop(Stage& stage) {
  stage.ledger.discards_the_past();
  (void)stage.ask({"trash", "drop", trash_of(stage)});
}

// ---- after ----
// What stood in the way was somebody's who is done now.
void acquire_x_now(Stage& stage) {
  std::error_code none;
  fs::remove(stage.repo.path() / ".git/refs/heads/x/of-somebody.lock", none);
  expect_done(stage.acquire("x"), "acquire");
}
void finish_warm(Stage& stage) {
  expect_done(stage.ask({"warm", "1", "--wait"}), "warm");
  expect_done(stage.acquire("x"), "acquire");
}
void finish_resume(Stage& stage) { expect_done(stage.acquire("x", {"--resume"}), "acquire --resume"); }
void finish_replace(Stage& stage) { expect_done(stage.acquire("x", {"--replace"}), "acquire --replace"); }
void finish_release(Stage& stage) { expect_done(stage.release("x"), "release"); }
void finish_renew(Stage& stage) { expect_done(stage.ask({"renew", "x", "--ttl", "2h"}), "renew"); }
void finish_repair(Stage& stage) {
  if (stage.world.state_of("slot-0") == "quarantined") expect_done(stage.ask({"repair", "slot-0"}), "repair");
  stage.ledger.left("x");
}
void finish_remove(Stage& stage) {
  if (stage.world.state_of("slot-0") != "fresh") expect_done(stage.ask({"remove", "slot-0"}), "remove");
}
void finish_remove_pool(Stage& stage) {
  if (stage.world.json_of({"pools"}).empty() == false) expect_done(stage.ask({"remove", "--pool", "app"}), "remove");
  if (const auto now = stage.repo.git({"worktree", "list"}); lines_of(now).size() != 1)
    throw std::runtime_error("a worktree is left: " + now);
  expect_done(stage.ask({"init", "--source", stage.repo.path().string()}), "init");
}
void finish_init(Stage& stage) {
  if (stage.world.json_of({"pools"}).size() == 1) init_pool(stage);
  if (stage.world.json_of({"pools"}).size() != 2) throw std::runtime_error("the pool is not made");
  expect_done(stage.ask({"remove", "--pool", "other"}), "remove");
}
void finish_restore(Stage& stage) {
  if (!stage.repo.has_branch("restored")) restore(stage);
  if (!stage.repo.has_branch("restored")) throw std::runtime_error("the branch is not restored");
  stage.repo.git({"branch", "-q", "-D", "restored"});
}
void finish_drop(Stage& stage) {
  if (const auto id = trash_of(stage); !id.empty()) expect_done(stage.ask({"trash", "drop", id}), "trash drop");
  if (!stage.repo.trash_refs().empty()) throw std::runtime_error("a trash ref is left");
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"acquire-fresh",
       {"acquire.begun", "acquire.intent-written", "acquire.worktree-added", "acquire.fresh-marker-written",
        "acquire.intent-removed", "acquire.branch-made", "acquire.held", "file.written", "file.renamed"},
       nothing,
       acquire_x,
       acquire_x_now},
      {"warm", {"make.entry-stands", "make.filled", "make.settled", "make.idle"}, nothing, warm_one, finish_warm},
      {"acquire-idle",
       {"acquire.marker-written", "acquire.tree-brought", "acquire.short-way-staged", "acquire.branch-made",
        "acquire.head-attached"},
       idle_elsewhere,
       acquire_x,
       acquire_x_now},
      {"acquire-idle-dirtied",
       {"acquire.strangers-work-kept", "keep.work-reachable"},
       strangers_wrote,
       acquire_x,
       acquire_x_now},
      {"acquire-file-in-the-way", {"acquire.way-cleared"}, untracked_in_the_way, acquire_x, acquire_x_now},
      {"acquire-idle-rolled-back",
       {"acquire.rolling-back", "acquire.marker-gone", "acquire.rolled-back"},
       x_cannot_be_made_in_an_idle_slot,
       acquire_x,
       acquire_x_now},
      {"acquire-fresh-rolled-back",
       {"acquire.rolling-back", "fresh.directory-aside", "acquire.directory-taken-back", "acquire.rolled-back"},
       x_cannot_be_made,
       acquire_x,
       acquire_x_now},
      {"acquire-resume", {"acquire.branch-resumed"}, branch_of_somebody, resume_x, finish_resume},
      {"acquire-replace", {"acquire.old-branch-aside"}, branch_of_somebody, replace_x, finish_replace},
      {"release-clean",
       {"release.marker-written", "release.refs-settled", "recycle.begun", "recycle.work-kept", "recycle.untracked-remembered",
        "recycle.before-idle", "recycle.idle"},
       held,
       release_x,
       finish_release},
      {"release-dirty",
       {"keep.recorded", "keep.work-written", "keep.work-reachable", "recycle.before-reset", "recycle.reset"},
       held_dirty,
       release_x,
       finish_release},
      {"release-moved", {"keep.refs-moved"}, held_moved, release_x, finish_release},
      {"release-cleaning", {"recycle.before-clean", "recycle.cleaned"}, held_in_a_cleaning_pool, release_x, finish_release},
      {"release-uncovering",
       {"recycle.cleaned", "keep.late-work-reachable"},
       held_with_an_untracked_gitignore,
       release_x,
       finish_release},
      {"release-of-a-part", {"tree.left-out-back", "recycle.reset"}, held_with_a_part_of_the_tree, release_x, finish_release},
      {"release-discard", {"recycle.reset"}, held_dirty, discard_x, finish_release},
      {"release-directory-lost",
       {"release.staged-kept", "release.entry-removed"},
       held_and_directory_lost,
       release_x,
       finish_release},
      {"renew", {"renew.marker-written"}, held, renew_x, finish_renew},
      {"repair",
       {"repair.begun", "repair.refs-settled", "repair.marker-removed", "repair.slot-sound", "repair.done"},
       quarantined,
       repair_slot,
       finish_repair},
      {"repair-without-entry", {"repair.directory-in-trash"}, quarantined_without_its_entry, repair_slot, finish_repair},
      {"remove-slot",
       {"remove.work-kept", "remove.renamed", "remove.entry-removed", "remove.tree-removed", "remove.done"},
       idle_with_untracked,
       remove_slot,
       finish_remove},
      {"remove-pool",
       {"remove-pool.begun", "remove-pool.config-removed", "remove-pool.folders-removed", "remove-pool.done"},
       one_idle_slot,
       remove_pool,
       finish_remove_pool},
      {"init", {"init.directories-made", "init.config-written"}, nothing, init_pool, finish_init},
      {"trash-restore", {"trash.restored"}, kept_work, restore, finish_restore},
      {"trash-drop", {"trash.refs-dropped", "trash.files-dropped"}, kept_work, drop, finish_drop},
  };
  return all;
}

}  // namespace wtpool::test
