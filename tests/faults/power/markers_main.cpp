// wtpool_power_markers DIRECTORY: writes markers, intents and records with the daemon's own functions, over and over and away
// again, below DIRECTORY/world. It says to DIRECTORY/said what it is about to write where ("doing", no text: to remove it), and
// when that was durable ("done").
#include <fcntl.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "tests/support/process.hpp"

namespace wtpool::test::power {
namespace {

class Writer {
 public:
  explicit Writer(const fs::path& out)
      : world_(out / "world"), said_(::open((out / "said").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    fs::create_directories(world_ / "entry");
    fs::create_directories(world_ / "init");
    fs::copy(world_, out / "base", fs::copy_options::recursive);
    say({{"said", "base"}});
  }

  void write_all() {
    core::Marker marker;
    marker.lease.full_sha = Oid(std::string(40, 'a'));
    marker.lease.name = "x";
    marker.lease.started_at = 1'777'952'096;
    const disk::MarkerFile file(world_ / "entry/worktree-pool/lock");
    for (const char digit : std::string("0123")) {
      marker.lease.id = LeaseId(std::string(32, digit));
      disk::Intent intent;
      intent.marker = marker;
      intent.entries = std::vector<std::string>(300, "another worktree of the source");
      act("init/slot-0.intent", "written", [&](const fs::path& path) { disk::write_intent(path, intent); });
      for (const auto state : {core::MarkerState::acquiring, core::MarkerState::held, core::MarkerState::releasing}) {
        marker.state = state;
        act("entry/worktree-pool/lock", disk::format_marker(marker), [&](const fs::path&) { (void)file.write(marker); });
      }
      act("init/slot-0.intent", {}, [](const fs::path& path) { unlink_durably(path); });
      act("quarantine/slot-0.yaml", "written", [](const fs::path& path) { disk::write_quarantine(path, {"why", 1, "what"}); });
      act("entry/worktree-pool/lock", {}, [&](const fs::path&) { (void)file.remove(); });
      act("quarantine/slot-0.yaml", {}, [](const fs::path& path) { unlink_durably(path); });
    }
    say({{"said", "end"}});
  }

 private:
  void say(const nlohmann::json& what) const {
    const std::string line = what.dump() + "\n";
    if (::write(said_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw std::runtime_error("cannot say it");
  }
  template <class Act>
  void act(const std::string& file, const std::string& text, Act&& does) {
    say({{"said", "doing"}, {"file", file}, {"text", text}});
    does(world_ / file);
    say({{"said", "done"}, {"file", file}, {"text", text.empty() ? text : read_text(world_ / file)}});
  }

  fs::path world_;
  int said_;
};

}  // namespace
}  // namespace wtpool::test::power

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    wtpool::test::power::Writer(argv[1]).write_all();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
