#include "daemon/git/source/ref_snapshot.hpp"

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "daemon/git/files/packed_refs.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Snapshot : public GitRoom {
 protected:
  RefSnapshot take(std::vector<std::string> refs, std::vector<std::string> heads = {}) const {
    return RefSnapshot::take(common, {std::move(refs), std::move(heads)});
  }
  // `count` branches b/0..., all packed.
  void pack_many(int count) const {
    std::string input;
    for (int i = 0; i < count; ++i) input += "create refs/heads/b/" + std::to_string(i) + " " + id("HEAD").str() + "\n";
    write(root / "refs.txt", input);
    sh(source_dir, "git update-ref --stdin < '" + (root / "refs.txt").string() + "' && git pack-refs --all");
  }
};

TEST_F(Snapshot, ReadsLooseAndPackedRefsAndHeads) {
  make_source();
  const Oid first = id("HEAD");
  sh(source_dir, "git branch packed && git tag -a -m t annotated && git pack-refs --all && git commit -q --allow-empty -m 2");
  const Git git = ready_slot();
  switch_to_new(git, "feature/x", id("HEAD"));
  const auto refs =
      take({"refs/heads/main", "refs/heads/packed", "refs/heads/none", "refs/heads/feature", "refs/tags/annotated"},
           {"", "slot-0", "slot-7"});
  EXPECT_EQ(refs.value("refs/heads/main"), id("HEAD"));  // loose hides what is packed
  EXPECT_EQ(refs.value("refs/heads/packed"), first);
  EXPECT_EQ(refs.value("refs/heads/none"), std::nullopt);
  EXPECT_EQ(refs.value("refs/heads/feature"), std::nullopt);  // a directory
  EXPECT_EQ(refs.value("refs/tags/annotated"), id("annotated"));
  EXPECT_EQ(refs.head("").branch, "main");
  EXPECT_EQ(refs.head("").oid, id("HEAD"));
  EXPECT_EQ(refs.head("slot-0").branch, "feature/x");
  EXPECT_EQ(refs.head("slot-0").oid, id("HEAD"));
  EXPECT_EQ(refs.head("slot-7").oid, std::nullopt);
}

TEST_F(Snapshot, FollowsSymbolicRefsAndDetachedHeads) {
  make_source();
  const Git git = ready_slot();
  sh(source_dir,
     "git symbolic-ref refs/remotes/origin/HEAD refs/heads/main && git symbolic-ref refs/heads/loop refs/heads/loop");
  const auto refs = take({"refs/remotes/origin/HEAD", "refs/heads/loop"}, {"slot-0"});
  EXPECT_EQ(refs.value("refs/remotes/origin/HEAD"), id("HEAD"));
  EXPECT_EQ(refs.value("refs/heads/loop"), std::nullopt);
  EXPECT_EQ(refs.head("slot-0").branch, std::nullopt);
  EXPECT_EQ(refs.head("slot-0").oid, id("HEAD"));
}

TEST_F(Snapshot, RefusesToAnswerWhatItWasNotAsked) {
  make_source();
  const auto refs = take({"refs/heads/main"});
  EXPECT_EQ(kind_of([&] { (void)refs.value("refs/heads/other"); }), ErrorKind::internal);
  EXPECT_EQ(kind_of([&] { (void)refs.head(""); }), ErrorKind::internal);
}

TEST_F(Snapshot, LeavesTheRepositoryForNoName) {
  make_source();
  write(root / "secret", std::string(40, 'a') + "\n");
  const auto refs = take({"refs/../../../secret", "refs/heads/../../../../secret", "config", "refs//heads/main"});
  EXPECT_EQ(refs.value("refs/../../../secret"), std::nullopt);
  EXPECT_EQ(refs.value("refs/heads/../../../../secret"), std::nullopt);
  EXPECT_EQ(refs.value("config"), std::nullopt);
}

TEST_F(Snapshot, FindsEveryRefOfALargePackedFileAndNoOther) {
  make_source();
  pack_many(3000);
  sh(source_dir, "git tag -a -m t v1 && git pack-refs --all");
  auto packed = PackedRefs::open(common);
  for (int i = 0; i < 3000; ++i) EXPECT_TRUE(packed.value("refs/heads/b/" + std::to_string(i))) << i;
  EXPECT_EQ(packed.value("refs/heads/main"), id("main"));
  EXPECT_EQ(packed.value("refs/tags/v1"), id("v1"));
  for (const auto* none : {"", "refs/heads/b", "refs/heads/b/", "refs/heads/b/00", "refs/heads/b/3000", "refs/zz", "a",
                           "refs/tags/v", "refs/tags/v10"}) {
    EXPECT_EQ(packed.value(none), std::nullopt) << none;
  }
}

TEST_F(Snapshot, ReadsPackedFilesThatAreCutOffUnsortedOrEmpty) {
  make_source();
  const std::string oid(40, 'a');
  const auto value = [&](const std::string& text, const std::string& ref) {
    write(common + "/packed-refs", text);
    return PackedRefs::open(common).value(ref);
  };
  EXPECT_EQ(value("", "refs/heads/a"), std::nullopt);
  EXPECT_EQ(value("\n", "refs/heads/a"), std::nullopt);
  EXPECT_EQ(value(oid + " refs/heads/z\n" + oid + " refs/heads/a\n", "refs/heads/a"), Oid(oid));
  const std::string sorted =
      "# pack-refs with: peeled fully-peeled sorted \n" + oid + " refs/heads/a\n^" + oid + "\n" + oid + " refs/heads/b\n";
  for (std::size_t size = 0; size <= sorted.size(); ++size) {
    const auto a = value(sorted.substr(0, size), "refs/heads/a");
    EXPECT_TRUE(!a || *a == Oid(oid)) << size;
    (void)value(sorted.substr(0, size), "refs/heads/b");
  }
  EXPECT_EQ(value(sorted, "refs/heads/a"), Oid(oid));
  EXPECT_EQ(value(sorted, "refs/heads/b"), Oid(oid));
}

// pack-refs takes a loose ref away when it stands in the packed file: whoever reads meanwhile finds it in one of the two.
TEST_F(Snapshot, MissesNoRefWhileOthersPack) {
  make_source();
  sh(source_dir, "git commit -q --allow-empty -m 2 && git branch one && git branch two");
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 40 && !stop; ++i) {
      sh(source_dir, "git update-ref refs/heads/one HEAD~" + std::to_string(i % 2) + " && git pack-refs --all");
    }
    stop = true;
  });
  int missed = 0, read = 0;
  while (!stop) {
    ++read;
    if (!take({"refs/heads/one", "refs/heads/two"}, {}).value("refs/heads/one")) ++missed;
  }
  writer.join();
  EXPECT_EQ(missed, 0) << "of " << read;
  EXPECT_GT(read, 0);
}

TEST_F(Snapshot, CostsTheSameHoweverManyRefsThereAre) {
  make_source();
  const auto median_us = [&] {
    std::vector<std::string> wanted;
    for (int i = 0; i < 18; ++i) wanted.push_back("refs/heads/b/" + std::to_string(i * 7));
    std::vector<double> times;
    for (int i = 0; i < 51; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      (void)take(wanted);
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  };
  pack_many(200);
  const double few = median_us();
  sh(source_dir, "git for-each-ref --format='delete %(refname)' refs/heads/b | git update-ref --stdin");
  pack_many(20'000);
  const double many = median_us();
  std::cout << "[ FIGURE   ] 18 refs: " << few << " us of 200, " << many << " us of 20,000\n";
  EXPECT_LT(many, few * 10) << "a linear search would be 100 times slower";
}

}  // namespace
}  // namespace wtpool::git
