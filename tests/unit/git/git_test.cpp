#include <signal.h>
#include <thread>

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Running = GitRoom;

TEST_F(Running, AnswersANonZeroExitAsAResultAndMustTurnsItIntoAnError) {
  make_source();
  Command command;
  command.arguments = {"rev-parse", "--verify", "nowhere"};
  EXPECT_EQ(source().run(command).exit_code, 128);
  try {
    source().must(command);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::git_failed);
    ASSERT_TRUE(error.git);
    EXPECT_EQ(error.git->exit_code, 128);
    EXPECT_NE(error.git->stderr_tail.find("fatal"), std::string::npos);
    EXPECT_EQ(error.message.find('\n'), std::string::npos);
  }
}

TEST_F(Running, ReportsAGitThatWasKilled) {
  make_source();
  shim("kill -KILL $$\n");
  Command command;
  command.arguments = {"status"};
  for (const bool strict : {false, true}) {
    try {
      if (strict) {
        source().must(command);
      } else {
        (void)source().run(command);
      }
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind, ErrorKind::git_failed);
      ASSERT_TRUE(error.git);
      EXPECT_EQ(error.git->exit_code, 128 + SIGKILL);
    }
  }
}

TEST_F(Running, SaysWhenThereIsNoGit) {
  make_source();
  fs::create_directories(root / "empty");
  ::setenv("PATH", (root / "empty").c_str(), 1);
  Command command;
  command.arguments = {"status"};
  EXPECT_EQ(kind_of([&] { (void)source().run(command); }), ErrorKind::git_failed);
  EXPECT_FALSE(git_version());
}

TEST_F(Running, KnowsTheVersion) {
  const auto version = git_version();
  ASSERT_TRUE(version);
  EXPECT_GE(version->major, 2);
  shim("echo nonsense\n");
  EXPECT_FALSE(git_version());
}

TEST_F(Running, EndsAHangingGitAtItsLimitAndAtTheDeadline) {
  make_source();
  shim("exec sleep 60\n");
  Command command;
  command.arguments = {"status"};
  command.limit = std::chrono::seconds(1);
  EXPECT_EQ(kind_of([&] { (void)source().run(command); }), ErrorKind::git_timeout);
  Context late;
  late.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(kind_of([&] { (void)source(late).run(command); }), ErrorKind::git_timeout);
}

TEST_F(Running, IsCancelledBeforeAndWhileItRuns) {
  make_source();
  Command command;
  command.arguments = {"status"};
  Context stopped;
  stopped.stop.request_stop();
  EXPECT_EQ(kind_of([&] { (void)source(stopped).run(command); }), ErrorKind::cancelled);

  shim("exec sleep 60\n");
  Context context;
  context.on_child = [token = context.stop](pid_t) { token.request_stop(); };
  EXPECT_EQ(kind_of([&] { (void)source(context).run(command); }), ErrorKind::cancelled);
}

TEST_F(Running, TakesNothingOfGitFromTheEnvironment) {
  ::setenv("GIT_DIR", "/nowhere", 1);
  ::setenv("GIT_CONFIG_GLOBAL", "/nowhere", 1);
  ::setenv("LC_ALL", "de_DE.UTF-8", 1);
  ::setenv("LD_PRELOAD_NOT", "x", 1);
  int lc_all = 0;
  for (const std::string& entry : git_environment()) {
    EXPECT_FALSE(entry.starts_with("GIT_DIR=") || entry.starts_with("GIT_CONFIG") || entry.starts_with("LD_")) << entry;
    if (entry.starts_with("LC_ALL=")) {
      ++lc_all;
      EXPECT_EQ(entry, "LC_ALL=C");
    }
  }
  EXPECT_EQ(lc_all, 1);
  ::unsetenv("GIT_DIR");
  ::unsetenv("GIT_CONFIG_GLOBAL");
  ::unsetenv("LC_ALL");
  ::unsetenv("LD_PRELOAD_NOT");
}

TEST_F(Running, RunsNoHookNoMonitorAndNoFilterOfAHostileRepository) {
  make_source();
  const std::string trap = "echo ran >> " + (root / "ran").string() + "; cat";
  for (const char* hook : {"post-checkout", "reference-transaction", "post-index-change", "pre-commit", "pre-auto-gc"}) {
    write(source_dir / ".git/hooks" / hook, "#!/bin/sh\n" + trap + " >/dev/null\n");
    fs::permissions(source_dir / ".git/hooks" / hook, fs::perms::owner_all);
  }
  write(source_dir / ".gitattributes", "*.evil filter=evil\n*.dot filter=a.b\n*.eq filter=a=b\n");
  write(source_dir / "x.evil", "e\n");
  write(source_dir / "x.dot", "d\n");
  write(source_dir / "x.eq", "q\n");
  sh(source_dir, "git -c core.hooksPath=/dev/null add . && git -c core.hooksPath=/dev/null commit -qm evil");
  const Oid at = id("HEAD");
  for (const char* driver : {"evil", "a.b", "a=b"}) {
    for (const char* variable : {"clean", "smudge", "process"}) {
      sh(source_dir, "git config 'filter." + std::string(driver) + "." + variable + "' '" + trap + "'");
    }
    sh(source_dir, "git config 'filter." + std::string(driver) + ".required' true");
  }
  sh(source_dir, "git config core.fsmonitor '" + trap + "'");
  fs::remove(root / "ran");

  (void)add_worktree(source(), slot_path(), at, "r");
  const Git git = slot();
  checkout_fresh(git, "feature", at);
  EXPECT_EQ(read(slot_path() / "x.evil"), "e\n");
  EXPECT_EQ(read(slot_path() / "x.eq"), "q\n");
  write(slot_path() / "x.evil", "changed\n");
  write(slot_path() / "x.dot", "changed\n");
  write(slot_path() / "new.eq", "new\n");
  const TreeLook seen = look(git, Untracked::all, true);
  EXPECT_EQ(seen.changed, (std::vector<std::string>{"x.dot", "x.evil"}));
  const Saved saved = save_work(git, {"feature", at, seen.changed, seen.untracked, 1 << 20, 100, {}});
  ASSERT_TRUE(saved.work);
  reset_hard(git, at);
  RefTransaction transaction;
  transaction.detach_head("slot-0", at);
  transaction.commit(source());
  EXPECT_FALSE(fs::exists(root / "ran"));
}

TEST_F(Running, RunsAnAllowedFilterButNeverAsTheSlotDefinesIt) {
  make_source();
  sh(source_dir,
     "git config extensions.worktreeConfig true && git config filter.up.smudge 'tr a-z A-Z' && "
     "git config filter.up.clean 'tr A-Z a-z'");
  write(source_dir / ".gitattributes", "*.up filter=up\n");
  write(source_dir / "x.up", "abc\n");
  sh(source_dir, "git add . && git commit -qm up");
  const Oid at = id("HEAD");
  (void)add_worktree(source(), slot_path(), at, "r");
  write(entry() + "/config.worktree", "[filter \"up\"]\n smudge = touch " + (root / "ran").string() + "; cat\n");
  Context context;
  context.allowed_filters = {"up"};
  checkout_fresh(slot("slot-0", context), "feature", at);
  EXPECT_EQ(read(slot_path() / "x.up"), "ABC\n");
  // A driver that only the slot makes a process is switched off: a value cannot be unset again.
  write(entry() + "/config.worktree", "[filter \"up\"]\n process = touch " + (root / "ran").string() + "\n required = true\n");
  write(slot_path() / "x.up", "xyz\n");
  EXPECT_EQ(look(slot("slot-0", context), Untracked::all, false).changed, std::vector<std::string>{"x.up"});
  EXPECT_FALSE(fs::exists(root / "ran"));
}

TEST_F(Running, IsNotLedElsewhereByTheSlotsOwnConfig) {
  make_source();
  sh(source_dir, "git config extensions.worktreeConfig true");
  const Git git = ready_slot();
  fs::create_directories(root / "victim");
  write(root / "victim/file", "precious\n");
  write(entry() + "/config.worktree", "[core]\n worktree = " + (root / "victim").string() + "\n");
  write(slot_path() / "file", "changed\n");
  EXPECT_EQ(look(git, Untracked::all, false).changed, std::vector<std::string>{"file"});
  reset_hard(git, id("HEAD"));
  EXPECT_EQ(read(root / "victim/file"), "precious\n");
  EXPECT_EQ(read(slot_path() / "file"), "one\n");
}

TEST_F(Running, GivesProgressAsItComes) {
  make_source();
  Context context;
  std::string seen;
  context.on_progress = [&seen](std::string_view text) { seen += text; };
  (void)add_worktree(source(), slot_path(), id("HEAD"), "r");
  checkout_fresh(slot("slot-0", context), "feature", id("HEAD"));
  EXPECT_NE(seen.find("Updating files"), std::string::npos) << seen;
}

TEST_F(Running, WhatPrintsTooMuchIsEndedAndSaysSo) {
  make_source();
  Command list;
  list.arguments = {"cat-file", "--batch-check", "--batch-all-objects"};
  EXPECT_FALSE(source().must(list).empty());
  list.output_limit = 10;
  EXPECT_THROW((void)source().must(list), TooMuchOutput);
}

}  // namespace
}  // namespace wtpool::git
