// A home, a source repository and slots of its own for each test, made and looked at with plain git from outside.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/git.hpp"
#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/source/source.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/git/work/save.hpp"

namespace wtpool::git {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

class GitRoom : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/wtpool-git-XXXXXX";
    root = fs::canonical(::mkdtemp(pattern));
    old_path = ::getenv("PATH");
    fs::create_directories(root / "home");
    ::setenv("HOME", (root / "home").c_str(), 1);
    ::unsetenv("XDG_CONFIG_HOME");
    write(root / "home/.gitconfig",
          "[user]\n name = A\n email = a@example.org\n[init]\n defaultBranch = main\n[protocol \"file\"]\n allow = always\n");
    source_dir = root / "source";
  }
  void TearDown() override {
    ::setenv("PATH", old_path.c_str(), 1);
    std::error_code ignored;
    fs::permissions(root, fs::perms::owner_all, ignored);
    fs::remove_all(root, ignored);
  }

  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  // Runs a shell line in `directory`; its stdout without the last newline. A failure fails the test unless expected.
  std::string sh(const fs::path& directory, const std::string& line, bool may_fail = false) const {
    const std::string whole = "cd '" + directory.string() + "' && { " + line + "\n} 2>'" + (root / "stderr").string() + "'";
    FILE* pipe = ::popen(whole.c_str(), "r");
    std::string output;
    char buffer[4096];
    for (std::size_t got = 0; (got = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, got);
    const int status = ::pclose(pipe);
    EXPECT_TRUE(may_fail || status == 0) << line << "\n" << read(root / "stderr");
    if (output.ends_with('\n')) output.pop_back();
    return output;
  }
  // A source with one commit: file, dir/inner.
  void make_source(const std::string& init_options = "") {
    fs::create_directories(source_dir);
    sh(source_dir, "git init -q " + init_options +
                       " . && echo one > file && mkdir dir && echo inner > dir/inner && git add . && "
                       "git commit -qm first");
    common = (source_dir / ".git").string();
  }
  Oid id(const std::string& expression) const { return Oid(sh(source_dir, "git rev-parse --verify '" + expression + "'")); }
  Git source(Context context = {}) const { return Git(Place{common, {}}, std::move(context)); }
  fs::path slot_path(const std::string& name = "slot-0") const { return root / "pool" / name; }
  std::string entry(const std::string& name = "slot-0") const { return common + "/worktrees/" + name; }
  Git slot(const std::string& name = "slot-0", Context context = {}) const {
    return Git(Place{entry(name), slot_path(name).string(), common}, std::move(context));
  }
  // A slot that stands detached at HEAD of the source, its tree checked out.
  Git ready_slot(const std::string& name = "slot-0", Context context = {}) {
    const std::string git_id = add_worktree(source(), slot_path(name), id("HEAD"), "wtpool test");
    EXPECT_EQ(git_id, name);
    const Git git = slot(name, std::move(context));
    reset_hard(git, id("HEAD"));
    return git;
  }
  ErrorKind kind_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const Error& error) {
      return error.kind;
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorKind::internal;
  }
  // A program called git, earlier in PATH than the real one.
  void shim(const std::string& script) {
    write(root / "bin/git", "#!/bin/sh\nPATH='" + old_path + "'\n" + script);
    fs::permissions(root / "bin/git", fs::perms::owner_all);
    ::setenv("PATH", ((root / "bin").string() + ":" + old_path).c_str(), 1);
  }

  fs::path root;
  fs::path source_dir;
  std::string common;
  std::string old_path;
};

}  // namespace wtpool::git
