// wtpool_power_story DIRECTORY: a host that lives through everything a slot can: run under strace, it is what the simulated
// disk is recorded from. It says to DIRECTORY/said, a line of JSON each, what it is about to ask the daemon for, what it was
// told, and which work its holders did. The host's files stay; DIRECTORY/world says where, DIRECTORY/base is how they began.
//
// Holders work with git as it comes (nothing that they commit or stage is synced), but sync their files: so each file that is
// gone after a power loss was wtpool's to keep.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test::power {
namespace {

void sync_path(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0 || ::fsync(fd) != 0) throw std::runtime_error("cannot sync " + path.string());
  ::close(fd);
}

class Story {
 public:
  explicit Story(fs::path out)
      : out_(std::move(out)), said_(::open((out_ / "said").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    write_text(out_ / "world", world_.dir().string());
    write_text(out_ / "environment", json(world_.environment).dump());
    source_.git({"branch", "first"});
    for (const auto* branch : {"old", "replaced"}) {
      source_.git({"switch", "-q", "-c", branch, "first"});
      replaced_ = source_.commit(std::string(branch) + ".txt", "of a branch that was there before\n");
    }
    source_.git({"switch", "-q", "main"});
    second_ = source_.commit("src/second.c", "int second;\n");
    fs::copy(world_.dir(), out_ / "base", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    say({{"said", "base"}});
    say({{"said", "keeps"}, {"commits", {replaced_, second_}}});
  }

  void tell() {
    world_.start_daemon();
    ask("init", "", "pool.init", {{"pool", "app"}, {"source", source_.path().string()}, {"max_slots", 3}});

    // A fresh slot; committed, staged and loose work; kept by a release that waits.
    acquire("a");
    write("a", "README.md", "dirt of a\n");
    stage("a", "src/staged.c", "int staged_by_a;\n");
    write("a", "notes.txt", "not staged by a\n");
    commit("a", "src/one.c", "int one;\n");
    release("a", true);

    // The same slot again, at the same commit and with nothing done in it: the shortest way.
    acquire("b");
    release("b", false);

    // Another commit; an untracked file in the way of the way back; a release that does not wait.
    acquire("c", {{"commit", "first"}});
    write("c", "src/second.c", "of c, and in the way of a commit\n");
    stage("c", "src/main.c", "int main(void) { return 1; }\n");
    write("c", "src/main.c", "int main(void) { return 2; }\n");
    release("c", false);

    // Two at once; one moves HEAD by hand, and commits there.
    acquire("d");
    acquire("e", {{"resume", true}, {"name", "old"}});
    touch("d");
    git(path("d"), {"checkout", "-q", "--detach"});
    commit("d", "detached.txt", "on no branch\n");
    commit("e", "more.txt", "more on the old branch\n");
    stage("e", "staged.txt", "staged by e\n");
    git(path("e"), {"rm", "-q", "--cached", "more.txt"});
    release("d", true);
    release("e", false);

    // A branch that is replaced; then its slot is taken away.
    acquire("f", {{"replace", true}, {"name", "replaced"}});
    commit("f", "f.txt", "of f\n");
    release("f", true);
    ask("remove", "", "slot.remove", {{"pool", "app"}, {"slot", slot("f")}});

    // And one that is still held in the end, with work in it.
    acquire("g");
    write("g", "README.md", "dirt of g\n");
    commit("g", "g.txt", "of g\n");
    world_.kill_daemon();
    say({{"said", "end"}});
  }

  [[noreturn]] void leave() {
    // The world's files are somebody else's from here on.
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }

 private:
  void say(const json& what) const {
    const std::string line = what.dump() + "\n";
    if (::write(said_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw std::runtime_error("cannot say it");
  }

  json ask(const std::string& kind, const std::string& lease, const std::string& method, const json& params) {
    say({{"said", "asks"}, {"kind", kind}, {"lease", lease}});
    Wire wire(world_.socket());
    (void)wire.send("");
    const auto answer = wire.call(method, params);
    if (!answer.is_object() || !answer.contains("result")) throw std::runtime_error(method + ": " + answer.dump());
    return answer["result"];
  }

  void acquire(const std::string& lease, const json& more = json::object()) {
    json params = {{"pool", "app"}, {"name", lease}, {"cwd", world_.dir().string()}};
    params.update(more);
    const auto got = ask("acquire", lease, "slot.acquire", params);
    leases_[lease] = got;
    say({{"said", "got"}, {"lease", lease}, {"answer", got}, {"entry", gitdir_of(path(lease)).string()}});
  }

  void release(const std::string& lease, bool wait) {
    (void)ask("release", lease, "slot.release", {{"pool", "app"}, {"name", leases_[lease]["name"]}, {"wait", wait}});
    if (!world_.wait_for_state(slot(lease), "idle")) throw std::runtime_error(lease + " was not recycled");
    say({{"said", "idle"}, {"lease", lease}});
  }

  void write(const std::string& lease, const std::string& file, const std::string& text) {
    const auto where = path(lease) / file;
    say({{"said", "writes"}, {"lease", lease}, {"file", file}});
    write_text(where, text);
    sync_path(where);
    sync_path(where.parent_path());
    say({{"said", "wrote"}, {"lease", lease}, {"file", file}, {"text", text}});
  }
  void stage(const std::string& lease, const std::string& file, const std::string& text) {
    write(lease, file, text);
    touch(lease);
    git(path(lease), {"add", file});
  }
  // From here on index, branch and HEAD of the slot may be what a git wrote that syncs nothing.
  void touch(const std::string& lease) { say({{"said", "touches"}, {"lease", lease}}); }
  void commit(const std::string& lease, const std::string& file, const std::string& text) {
    touch(lease);
    write_text(path(lease) / file, text);
    git(path(lease), {"add", file});
    git(path(lease), {"commit", "-q", "-m", "work of " + lease, "--", file});
    say({{"said", "committed"}, {"lease", lease}, {"commit", git(path(lease), {"rev-parse", "HEAD"})}});
  }

  [[nodiscard]] std::string slot(const std::string& lease) const { return leases_.at(lease)["slot"]; }
  [[nodiscard]] fs::path path(const std::string& lease) const { return leases_.at(lease)["path"].get<std::string>(); }

  fs::path out_;
  int said_;
  World world_;
  Repo source_ = world_.make_repo();
  std::string replaced_, second_;
  std::map<std::string, json> leases_;
};

}  // namespace
}  // namespace wtpool::test::power

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    wtpool::test::power::Story story(argv[1]);
    story.tell();
    story.leave();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
