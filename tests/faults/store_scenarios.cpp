#include "tests/faults/store_scenarios.hpp"

namespace wtpool::test {
namespace {

fs::path packed(const Stage& stage) { return stage.world.dir() / "packed"; }
fs::path placed(const Stage& stage) { return stage.world.dir() / "placed"; }

void done(int code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string(what) + " ended with " + std::to_string(code));
}

int place(Stage& stage, const std::string& key) {
  return stage.ask({"store", "place", key, packed(stage).string(), "--into", placed(stage).string()});
}

// Every entry is what its listing says, and what was placed reads as what was packed.
void expect_sound(Stage& stage) {
  done(stage.ask({"store", "verify"}), "store verify");
  for (const char* file : {"tool/bin", "lib/object"}) {
    if (read_text(placed(stage) / file) != read_text(packed(stage) / file))
      throw std::runtime_error(std::string(file) + " is not as it was packed");
  }
}

// ---- before ----
void something_packed(Stage& stage) {
  write_text(packed(stage) / "tool/bin", "a tool\n");
  write_text(packed(stage) / "lib/object", "an object\n");
}
void one_placed(Stage& stage) {
  something_packed(stage);
  done(place(stage, "k-1"), "store place");
}
void another_packed(Stage& stage) {
  one_placed(stage);
  write_text(packed(stage) / "lib/object", "another object\n");
}
void one_thawed(Stage& stage) {
  one_placed(stage);
  done(stage.ask({"store", "thaw", (placed(stage) / "lib").string()}), "store thaw");
}
void one_unused(Stage& stage) {
  something_packed(stage);
  done(stage.ask({"store", "add", "k-1", packed(stage).string()}), "store add");
}

// ---- what is done ----
void place_one(Stage& stage) { (void)place(stage, "k-1"); }
void place_another(Stage& stage) { (void)place(stage, "k-2"); }
void thaw(Stage& stage) { (void)stage.ask({"store", "thaw", (placed(stage) / "lib").string()}); }
void freeze(Stage& stage) { (void)stage.ask({"store", "freeze", (placed(stage) / "lib").string()}); }
void collect(Stage& stage) { (void)stage.ask({"store", "gc", "--older-than", "0s"}); }

// ---- after ----
void finish_place(Stage& stage) {
  done(place(stage, "k-1"), "store place");
  expect_sound(stage);
}
void finish_another(Stage& stage) {
  done(place(stage, "k-2"), "store place");
  expect_sound(stage);
}
void finish_thaw(Stage& stage) {
  done(stage.ask({"store", "thaw", (placed(stage) / "lib").string()}), "store thaw");
  expect_sound(stage);
  if (fs::is_symlink(placed(stage) / "lib")) throw std::runtime_error("lib is still a link into the store");
}
void finish_freeze(Stage& stage) {
  done(stage.ask({"store", "freeze", (placed(stage) / "lib").string()}), "store freeze");
  expect_sound(stage);
  if (!fs::is_symlink(placed(stage) / "lib")) throw std::runtime_error("lib is no link into the store");
}
void finish_collect(Stage& stage) {
  done(stage.ask({"store", "gc", "--older-than", "0s"}), "store gc");
  if (stage.ask({"store", "has", "k-1"}) != 17) throw std::runtime_error("the entry is still there");
  done(stage.ask({"store", "verify"}), "store verify");
}

}  // namespace

std::vector<Scenario> store_scenarios() {
  return {
      {"store-place",
       {"store.extracting", "store.extracted", "store.entry-made", "store.root-written", "store.one-placed"},
       something_packed,
       place_one,
       finish_place},
      {"store-place-another", {"store.link-beside"}, another_packed, place_another, finish_another},
      {"store-thaw", {"store.thaw-copied", "store.thaw-exchanged"}, one_placed, thaw, finish_thaw},
      {"store-freeze", {"store.freeze-exchanged"}, one_thawed, freeze, finish_freeze},
      {"store-gc", {"store.collecting", "store.doomed"}, one_unused, collect, finish_collect},
  };
}

}  // namespace wtpool::test
