// The frozen store through the two programs: entries, grafts, thawing, collecting, deps.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Store : public ::testing::Test {
 protected:
  void SetUp() override {
    repo.git({"config", "core.hooksPath", "/nowhere"});
    write_text(repo.path() / ".gitignore", "/out\nbuild*/\nnode_modules\n");
    write_text(repo.path() / "lib/a.txt", "a\n");
    repo.git({"add", "."});
    repo.git({"commit", "-q", "-m", "store"});
    write_text(packed / "out/bin/tool", "#!/bin/sh\necho tool\n");
    fs::permissions(packed / "out/bin/tool", fs::perms::owner_all);
    write_text(packed / "build/obj/x.o", "object\n");
    write_text(packed / "node_modules/p/index.js", "1\n");
    world.start_daemon();
  }

  [[nodiscard]] std::string tar(const fs::path& of, const std::string& name = "a.tar.gz") const {
    const fs::path file = world.dir() / name;
    EXPECT_EQ(::system(("tar czf " + file.string() + " -C " + of.string() + " .").c_str()), 0);
    return file.string();
  }
  [[nodiscard]] Outcome in(const fs::path& directory, std::vector<std::string> arguments) const {
    World::Options options;
    options.directory = directory;
    return world.wtpool(std::move(arguments), options);
  }
  [[nodiscard]] fs::path entry(const std::string& key) const { return world.root() / ".store/entries" / key; }
  [[nodiscard]] json status(const std::string& target) const { return world.json_of({"store", "status", target}); }
  static std::string link_at(const fs::path& path) {
    return fs::is_symlink(fs::symlink_status(path)) ? fs::read_symlink(path).string() : "no link";
  }

  World world;
  Repo repo = world.make_repo();
  fs::path packed = world.dir() / "packed";
};

TEST_F(Store, AddsListsVerifiesAndRefusesAnotherContent) {
  const std::string archive = tar(packed);
  EXPECT_EQ(world.wtpool({"store", "has", "k-1"}).code, 17);
  EXPECT_EQ(world.wtpool({"store", "add", "k-1", archive}).code, 0);
  EXPECT_EQ(world.wtpool({"store", "has", "k-1"}).code, 0);
  EXPECT_EQ(world.wtpool({"store", "has", "k-1", "k-2"}).code, 17);
  EXPECT_EQ(world.wtpool({"store", "add", "k-1", archive}).code, 0);
  EXPECT_EQ(world.wtpool({"store", "add", "k-1", packed.string()}).code, 0) << "the same tree";
  const auto list = world.json_of({"store", "ls"});
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(keys_of(list[0]),
            (std::vector<std::string>{"bytes", "files", "key", "made_at", "roots", "sha256", "synced", "used_at"}));
  EXPECT_EQ(list[0]["files"], 3);
  EXPECT_EQ(world.wtpool({"store", "verify"}).code, 0);
  EXPECT_EQ(world.wtpool({"store", "path"}).out, (world.root() / ".store").string() + "\n");
  write_text(packed / "build/more", "more\n");
  const auto other = world.wtpool({"store", "add", "k-1", packed.string()});
  EXPECT_EQ(other.code, 1) << other;
  EXPECT_NE(other.err.find("build/more"), std::string::npos) << other;
  const auto named = world.wtpool({"store", "add", "-", archive});
  EXPECT_EQ(named.code, 0) << named;
  EXPECT_EQ(named.out.size(), 65u) << named;
  EXPECT_EQ(world.wtpool({"store", "add", "-", packed.string()}).code, 2);
  for (const char* key : {".x", "a/b", "a b", ""}) EXPECT_EQ(world.wtpool({"store", "has", key}).code, 2) << key;
}

TEST_F(Store, AnEntryIsReadOnlyAndWhatWasChangedIsFound) {
  ASSERT_EQ(world.wtpool({"store", "add", "k-1", tar(packed)}).code, 0);
  struct ::stat found {};
  ASSERT_EQ(::stat((entry("k-1") / "tree/out/bin/tool").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0500U);
  ASSERT_EQ(::stat((entry("k-1") / "tree/build").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0222U, 0U);
  const fs::path file = entry("k-1") / "tree/build/obj/x.o";
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  write_text(file, "damage\n");
  const auto outcome = world.wtpool({"store", "verify", "k-1"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("k-1"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("build/obj/x.o"), std::string::npos) << outcome;
}

TEST_F(Store, PlacesIntoASlotAndGitSeesNothing) {
  world.init(repo);
  const auto slot = world.acquire("x");
  const std::string before = git(slot, {"status", "--porcelain"});
  ASSERT_EQ(in(slot, {"store", "place", "k-1", tar(packed)}).code, 0);
  EXPECT_EQ(link_at(slot / "out"), (entry("k-1") / "tree/out").string());
  EXPECT_EQ(link_at(slot / "node_modules"), (entry("k-1") / "tree/node_modules").string());
  EXPECT_EQ(link_at(slot / "build/obj"), (entry("k-1") / "tree/build/obj").string()) << "the pattern build*/ is of directories";
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), before);
  const auto state = status("slot-0");
  ASSERT_EQ(state["entries"].size(), 1u) << state;
  EXPECT_EQ(state["slot"], "slot-0");
  EXPECT_EQ(state["entries"][0]["state"], "placed") << state;
  EXPECT_EQ(state["entries"][0]["links"].size(), 3u) << state;
  if (::geteuid() != 0) {
    EXPECT_NE(::access((slot / "out/bin").c_str(), W_OK), 0);
  }
  world.release("x");
  EXPECT_EQ(link_at(slot / "out"), (entry("k-1") / "tree/out").string()) << "a release leaves grafts";
  EXPECT_EQ(world.wtpool({"remove", "slot-0"}).code, 0);
  EXPECT_EQ(world.json_of({"store", "ls"})[0]["roots"], 0);
  EXPECT_EQ(world.wtpool({"store", "verify"}).code, 0);
}

TEST_F(Store, WhatGitWouldShowIsNotPlacedAndNamed) {
  world.init(repo);
  const auto slot = world.acquire("x");
  write_text(packed / "shown/file", "x\n");
  const auto outcome = in(slot, {"store", "place", "k-1", tar(packed)});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("shown/file"), std::string::npos) << outcome;
  EXPECT_EQ(link_at(slot / "out"), "no link") << "nothing of the entry is placed";
  EXPECT_EQ(in(slot, {"store", "place", "k-1", "--force"}).code, 0);
  EXPECT_EQ(fs::exists(slot / "shown/file"), true);
}

TEST_F(Store, WhatStandsThereStaysAndAnOlderGraftIsReplaced) {
  world.init(repo);
  const auto slot = world.acquire("x");
  write_text(slot / "node_modules/own.js", "own\n");
  ASSERT_EQ(in(slot, {"store", "place", "k-1", tar(packed)}).code, 0);
  EXPECT_EQ(link_at(slot / "node_modules/p"), (entry("k-1") / "tree/node_modules/p").string());
  fs::remove_all(packed / "node_modules");
  write_text(packed / "out/new", "new\n");
  ASSERT_EQ(in(slot, {"store", "place", "k-2", tar(packed, "b.tar.gz")}).code, 0);
  EXPECT_EQ(link_at(slot / "out"), (entry("k-2") / "tree/out").string());
  EXPECT_EQ(fs::exists(slot / "node_modules/own.js"), true);
  write_text(slot / "out2", "x");
}

TEST_F(Store, PlacesIntoAPlainDirectoryAndThawsAndFreezes) {
  const fs::path plain = world.dir() / "plain";
  ASSERT_EQ(world.wtpool({"store", "place", "k-1", tar(packed), "--into", plain.string()}).code, 0);
  EXPECT_EQ(link_at(plain / "build"), (entry("k-1") / "tree/build").string());
  ASSERT_EQ(world.wtpool({"store", "thaw", (plain / "build").string()}).code, 0);
  EXPECT_EQ(link_at(plain / "build"), "no link");
  EXPECT_EQ(link_at(plain / "out"), (entry("k-1") / "tree/out").string()) << "others of the entry stay";
  auto inside = world.wtpool({"store", "thaw", (plain / "out/bin").string()});
  EXPECT_EQ(inside.code, 1) << inside;
  EXPECT_NE(inside.err.find("out"), std::string::npos) << inside;
  EXPECT_EQ(world.wtpool({"store", "freeze", (plain / "build").string()}).code, 0) << "it is as it was";
  EXPECT_EQ(link_at(plain / "build"), (entry("k-1") / "tree/build").string());
  ASSERT_EQ(world.wtpool({"store", "thaw", plain.string()}).code, 0);
  write_text(plain / "build/obj/x.o", "built anew\n");
  EXPECT_EQ(world.wtpool({"store", "freeze", (plain / "build").string()}).code, 11);
  EXPECT_EQ(status(plain.string())["entries"][0]["links"][0]["state"], "thawed");
  EXPECT_EQ(world.wtpool({"store", "freeze", (plain / "build").string(), "--discard"}).code, 0);
  EXPECT_EQ(read_text(plain / "build/obj/x.o"), "object\n");
  EXPECT_EQ(world.wtpool({"store", "verify"}).code, 0);
}

TEST_F(Store, WritableModesMakeFilesOfTheirOwn) {
  const fs::path plain = world.dir() / "plain";
  ASSERT_EQ(world.wtpool({"store", "place", "k-1", tar(packed), "--into", plain.string(), "--mode", "copy"}).code, 0);
  EXPECT_EQ(link_at(plain / "build"), "no link");
  write_text(plain / "build/obj/x.o", "mine\n");
  EXPECT_EQ(world.wtpool({"store", "verify"}).code, 0);
  const auto reflink = world.wtpool({"store", "place", "k-1", "--into", (world.dir() / "other").string(), "--mode", "reflink"});
  EXPECT_EQ(reflink.code, 0) << reflink;
  EXPECT_EQ(read_text(world.dir() / "other/build/obj/x.o"), "object\n");
}

TEST_F(Store, RunsACommandOnceHoweverManyAsk) {
  const std::string archive = tar(packed);
  const fs::path ran = world.dir() / "ran";
  const std::string script = "echo x >>" + ran.string() + "; cat " + archive;
  std::vector<Process> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(world.start_wtpool(
        {"store", "place", "k-1", "--into", (world.dir() / ("d" + std::to_string(i))).string(), "--", "sh", "-c", script}));
  }
  for (auto& client : clients) {
    const auto outcome = client.wait();
    EXPECT_EQ(outcome.code, 0) << outcome;
  }
  EXPECT_EQ(read_text(ran), "x\n");
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(fs::exists(world.dir() / ("d" + std::to_string(i)) / "out/bin/tool")) << i;
  const auto failed = world.wtpool({"store", "place", "k-2", "--", "sh", "-c", "exit 3"});
  EXPECT_EQ(failed.code, 1) << failed;
  EXPECT_NE(failed.err.find("3"), std::string::npos) << failed;
  EXPECT_EQ(world.wtpool({"store", "place", "k-2"}).code, 17);
  EXPECT_EQ(world.wtpool({"store", "place", "k-2", archive, "--frozen-only"}).code, 17);
}

TEST_F(Store, CollectsWhatNobodyUses) {
  const fs::path plain = world.dir() / "plain";
  ASSERT_EQ(world.wtpool({"store", "place", "k-1", tar(packed), "--into", plain.string()}).code, 0);
  ASSERT_EQ(world.wtpool({"store", "add", "k-2", packed.string()}).code, 0);
  auto would = world.json_of({"store", "gc", "--dry-run", "--older-than", "0s"});
  EXPECT_EQ(would["removed"], json::array({"k-2"})) << would;
  EXPECT_EQ(world.wtpool({"store", "has", "k-2"}).code, 0);
  EXPECT_EQ(world.json_of({"store", "gc"})["removed"], json::array()) << "used just now";
  EXPECT_EQ(world.json_of({"store", "gc", "--older-than", "0s"})["removed"], json::array({"k-2"}));
  EXPECT_EQ(world.wtpool({"store", "has", "k-2"}).code, 17);
  // A link that no root knows is found, and becomes one.
  const fs::path other = world.dir() / "other";
  fs::remove_all(world.root() / ".store/roots/dirs");
  world.init(repo);
  const auto slot = world.acquire("x");
  fs::create_directory_symlink(entry("k-1") / "tree/out", slot / "out");
  const auto kept = world.json_of({"store", "gc", "--older-than", "0s"});
  EXPECT_EQ(kept["removed"], json::array()) << kept;
  EXPECT_EQ(kept["kept"], json::array({{{"key", "k-1"}, {"why", "linked"}}})) << kept;
  fs::remove(slot / "out");
  EXPECT_EQ(world.json_of({"store", "gc", "--keep", "0"})["removed"], json::array({"k-1"}));
}

class Deps : public Store {
 protected:
  void configure(const std::string& more = "") {
    world.init(repo);
    const fs::path config = world.root() / "app/.meta/config.yaml";
    write_text(config, read_text(config) + "deps:\n  - name: lib\n    key: \"lib-{hash:lib}-{arch}\"\n    archive: " +
                           (world.dir() / "cache/{key}.tar.gz").string() + "\n" + more);
    fs::create_directories(world.dir() / "cache");
  }
};

TEST_F(Deps, AreNamedWhenMissingAndPlacedOnceTheyAreThere) {
  configure();
  const auto first = world.json_of({"acquire", "x"});
  ASSERT_EQ(first["missing_deps"].size(), 1u) << first;
  EXPECT_EQ(first["missing_deps"][0]["name"], "lib");
  const std::string key = first["missing_deps"][0]["key"];
  const fs::path slot = first["path"].get<std::string>();
  const auto added = in(slot, {"store", "add", "--dep", "lib", packed.string()});
  ASSERT_EQ(added.code, 0) << added;
  EXPECT_EQ(added.out, key + "\n");
  write_text(slot / "lib/a.txt", "changed\n");
  EXPECT_EQ(in(slot, {"store", "add", "--dep", "lib", packed.string()}).code, 11);
  world.release("x");
  const auto second = world.json_of({"acquire", "y"});
  EXPECT_EQ(second["missing_deps"], json::array()) << second;
  EXPECT_EQ(link_at(slot / "out"), (entry(key) / "tree/out").string());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  // Another commit, another KEY: the graft of this one does not stay.
  write_text(repo.path() / "lib/a.txt", "b\n");
  repo.git({"commit", "-qam", "b"});
  world.release("y");
  const auto third = world.json_of({"acquire", "z"});
  EXPECT_EQ(third["missing_deps"].size(), 1u) << third;
  EXPECT_EQ(link_at(slot / "out"), "no link");
  EXPECT_FALSE(fs::exists(slot / "build")) << "what was made for it goes along";
}

TEST_F(Deps, ComeFromTheirArchive) {
  configure();
  const auto first = world.json_of({"acquire", "x"});
  const std::string key = first["missing_deps"][0]["key"];
  world.release("x");
  fs::rename(tar(packed), world.dir() / "cache" / (key + ".tar.gz"));
  EXPECT_EQ(world.wtpool({"acquire", "f", "--frozen-only"}).code, 17) << "the archive is not used";
  const auto second = world.json_of({"acquire", "y"});
  EXPECT_EQ(second["missing_deps"], json::array()) << second;
  const fs::path slot = second["path"].get<std::string>();
  EXPECT_EQ(link_at(slot / "out"), (entry(key) / "tree/out").string());
  // A thawed copy does not outlive its lease unseen.
  ASSERT_EQ(world.wtpool({"store", "thaw", (slot / "out").string()}).code, 0);
  write_text(slot / "out/bin/tool", "mine\n");
  world.release("y");
  const auto third = world.wtpool({"acquire", "z"});
  EXPECT_EQ(third.code, 0) << third;
  EXPECT_NE(third.err.find("out"), std::string::npos) << third;
  EXPECT_EQ(link_at(slot / "out"), (entry(key) / "tree/out").string());
}

TEST_F(Deps, WhenRequiredAreRefusedBeforeAnythingIsTouched) {
  configure("    required: true\n");
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 17) << outcome;
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
  EXPECT_EQ(git(repo.path(), {"branch", "--list", "x"}), "");
}

TEST_F(Deps, StandAfterACleanOfEverything) {
  configure("clean: ignored\n");
  const auto first = world.json_of({"acquire", "x"});
  const std::string key = first["missing_deps"][0]["key"];
  world.release("x");
  ASSERT_EQ(world.wtpool({"store", "add", key, tar(packed)}).code, 0);
  const auto slot = world.acquire("y");
  write_text(slot / "node_modules2", "x");
  world.release("y");
  EXPECT_EQ(link_at(slot / "out"), (entry(key) / "tree/out").string());
  EXPECT_EQ(link_at(slot / "build/obj"), (entry(key) / "tree/build/obj").string());
}

}  // namespace
}  // namespace wtpool::test
