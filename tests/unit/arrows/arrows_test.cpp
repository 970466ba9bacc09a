// The arrows between the rooms, as docs/architecture.md draws them: read from every #include line there is.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

struct Include {
  fs::path file;  // relative to the source tree
  int line = 0;
  std::string target;
  bool quoted = false;
};

fs::path source_dir() { return WTPOOL_SOURCE_DIR; }

std::vector<fs::path> sources_below(const fs::path& room) {
  std::vector<fs::path> found;
  if (!fs::exists(source_dir() / room)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(source_dir() / room)) {
    const auto extension = entry.path().extension();
    if (extension == ".cpp" || extension == ".hpp" || extension == ".h") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Include> includes_of(const fs::path& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  std::ifstream stream(file);
  std::string text;
  for (int line = 1; std::getline(stream, text); ++line) {
    std::smatch match;
    if (std::regex_search(text, match, pattern)) {
      found.push_back({fs::relative(file, source_dir()), line, match[2].str(), match[1].str() == "\""});
    }
  }
  return found;
}

std::vector<Include> includes_below(const fs::path& room) {
  std::vector<Include> found;
  for (const auto& file : sources_below(room)) {
    auto more = includes_of(file);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::string where(const Include& include) {
  return include.file.string() + ":" + std::to_string(include.line) + " includes " + include.target;
}

// "daemon/core/step.hpp" → "daemon/core", "common/files/fd.hpp" → "common"; files beside their includer are of the same room.
std::string room_of(const Include& include) {
  const auto& target = include.target;
  const auto first = target.find('/');
  if (first == std::string::npos || target.compare(0, 3, "../") == 0) return "a path that does not begin with a room";
  const auto top = target.substr(0, first);
  if (top != "daemon") return top;
  const auto second = target.find('/', first + 1);
  return second == std::string::npos ? top : target.substr(0, second);
}

const std::map<std::string, Names>& arrows() {
  static const std::map<std::string, Names> table = {
      {"proto", {"proto"}},
      {"common", {"common", "proto"}},
      {"client", {"client", "common", "proto"}},
      {"daemon/core", {"daemon/core", "proto"}},
      {"daemon/disk", {"daemon/disk", "daemon/core", "common", "proto"}},
      {"daemon/git", {"daemon/git", "daemon/core", "common", "proto"}},
      {"daemon/store", {"daemon/store", "daemon/disk", "daemon/core", "common", "proto"}},
      {"daemon/jobs", {"daemon/jobs", "daemon/disk", "daemon/git", "daemon/store", "daemon/core", "common", "proto"}},
      {"daemon/serve", {"daemon/serve", "daemon/core", "common", "proto"}},
      {"daemon/app",
       {"daemon/app", "daemon/serve", "daemon/jobs", "daemon/disk", "daemon/git", "daemon/store", "daemon/core", "common",
        "proto"}},
  };
  return table;
}

using Ladder = std::vector<Names>;  // from the lowest rung up; chapters of one rung do not see each other

// Chapters are the folders inside a room: a chapter sees itself and what stands below it. "" is the files that stand directly
// in the room: its door, which sees every chapter. Folders inside a chapter are parts of it.
const std::map<std::string, Ladder>& ladders() {
  static const std::map<std::string, Ladder> table = {
      {"proto", {{""}, {"codec"}}},
      {"common", {{"base"}, {"files"}, {"platform"}, {"process"}, {""}}},
      {"client", {{"cli"}, {"daemon"}, {"verbs"}, {"run"}, {""}}},
      {"daemon/core", {{"state"}, {"rules"}, {"job"}, {"store"}, {"slot"}, {"source"}, {"lease"}, {"pool"}, {"request"}, {""}}},
      {"daemon/disk", {{""}}},
      {"daemon/git", {{"files"}, {"process"}, {"source"}, {"tree"}, {"submodule"}, {"work", "seal"}, {""}}},
      {"daemon/store", {{""}}},
      {"daemon/jobs", {{"slot"}, {"trash"}, {"steps"}, {"tasks"}, {"doctor"}, {"run"}, {""}}},
      {"daemon/serve", {{""}}},
      {"daemon/app", {{"doctor"}, {""}}},
  };
  return table;
}

// Includes that still go up, as "file includes header". Each that goes is struck out; none is added.
const Names& still_upwards() {
  static const Names table = {
      "common/base/failpoint.cpp includes common/files/fd.hpp",
      "common/base/log.cpp includes common/files/files.hpp",
      "daemon/app/doctor/host_checks.cpp includes daemon/app/host_config.hpp",
      "daemon/app/doctor/host_checks.hpp includes daemon/app/options.hpp",
      "proto/time_text.cpp includes proto/codec/codec.hpp",
  };
  return table;
}

// "daemon/core/state/turn.hpp" in "daemon/core" → "state"; "daemon/core/step.hpp" → "".
std::string chapter_of(const std::string& path, const std::string& room) {
  const auto rest = path.substr(room.size() + 1);
  const auto slash = rest.find('/');
  return slash == std::string::npos ? "" : rest.substr(0, slash);
}

int rung_of(const Ladder& ladder, const std::string& chapter) {
  for (std::size_t rung = 0; rung < ladder.size(); ++rung) {
    if (ladder[rung].contains(chapter)) return static_cast<int>(rung);
  }
  return -1;
}

Names files_that_include(const std::regex& target) {
  Names files;
  for (const auto* top : {"proto", "common", "daemon", "client"}) {
    for (const auto& include : includes_below(top)) {
      if (std::regex_search(include.target, target)) files.insert(include.file.string());
    }
  }
  return files;
}

void expect_all_in(const Names& files, const std::regex& place, const std::string& what) {
  for (const auto& file : files) {
    EXPECT_TRUE(std::regex_search(file, place)) << file << " includes " << what;
  }
}

}  // namespace

TEST(Arrows, EveryRoomIsInTheTable) {
  Names rooms;
  for (const auto* top : {"proto", "common", "client"}) rooms.insert(top);
  for (const auto& entry : fs::directory_iterator(source_dir() / "daemon")) {
    if (entry.is_directory()) rooms.insert("daemon/" + entry.path().filename().string());
  }
  for (const auto& room : rooms) EXPECT_TRUE(arrows().contains(room)) << room << " has no arrows";
}

TEST(Arrows, EveryRoomHasSources) {
  for (const auto& [room, allowed] : arrows()) EXPECT_FALSE(sources_below(room).empty()) << room;
}

TEST(Arrows, NoRoomIncludesAgainstThem) {
  for (const auto& [room, allowed] : arrows()) {
    for (const auto& include : includes_below(room)) {
      if (!include.quoted) continue;
      EXPECT_TRUE(allowed.contains(room_of(include))) << where(include) << " (" << room_of(include) << ")";
    }
  }
}

TEST(Arrows, EveryChapterIsOnItsLadder) {
  for (const auto& [room, allowed] : arrows()) {
    ASSERT_TRUE(ladders().contains(room)) << room << " has no ladder";
    for (const auto& file : sources_below(room)) {
      const std::string chapter = chapter_of(fs::relative(file, source_dir()).string(), room);
      EXPECT_GE(rung_of(ladders().at(room), chapter), 0) << file << ": no chapter '" << chapter << "' in " << room;
    }
  }
}

TEST(Arrows, NoChapterIncludesWhatStandsAboveIt) {
  Names upwards;
  for (const auto& [room, ladder] : ladders()) {
    for (const auto& include : includes_below(room)) {
      if (!include.quoted || room_of(include) != room || include.target.ends_with(".inc")) continue;
      const std::string from = chapter_of(include.file.string(), room);
      const std::string to = chapter_of(include.target, room);
      if (from == to || rung_of(ladder, to) < rung_of(ladder, from)) continue;
      const std::string arrow = include.file.string() + " includes " + include.target;
      upwards.insert(arrow);
      EXPECT_TRUE(still_upwards().contains(arrow)) << where(include) << ": '" << from << "' stands below '" << to << "'";
    }
  }
  for (const auto& arrow : still_upwards()) EXPECT_TRUE(upwards.contains(arrow)) << "no longer so, strike it out: " << arrow;
}

TEST(Arrows, OwnHeadersAreQuotedAndOthersAreNot) {
  for (const auto& [room, allowed] : arrows()) {
    for (const auto& include : includes_below(room)) {
      const bool own = fs::exists(source_dir() / include.target) || include.target.ends_with(".inc");
      EXPECT_EQ(include.quoted, own) << where(include);
    }
  }
}

TEST(Arrows, TheCoreIncludesNothingThatTouchesTheWorld) {
  // What a pure function may use of the standard library. A header that is missing here is added when the core needs it and
  // it can neither read, wait, write nor tell the time.
  const Names pure = {"algorithm", "array",       "bit",     "chrono",      "compare",          "concepts",      "cstddef",
                      "cstdint",   "deque",       "format",  "functional",  "iterator",         "limits",        "list",
                      "map",       "memory",      "numeric", "optional",    "ranges",           "set",           "span",
                      "string",    "string_view", "tuple",   "type_traits", "unordered_map",    "unordered_set", "utility",
                      "variant",   "vector",      "cassert", "stdexcept",   "initializer_list", "charconv",      "cctype"};
  for (const auto& include : includes_below("daemon/core")) {
    if (include.quoted) continue;
    EXPECT_TRUE(pure.contains(include.target)) << where(include);
  }
}

TEST(Arrows, TheCoreReadsNoClock) {
  const std::regex clock(R"((system_clock|steady_clock|high_resolution_clock)::now|\brand\(|random_device|getenv)");
  for (const auto& file : sources_below("daemon/core")) {
    std::ifstream stream(file);
    std::string text;
    for (int line = 1; std::getline(stream, text); ++line) {
      EXPECT_FALSE(std::regex_search(text, clock)) << file << ":" << line << ": " << text;
    }
  }
}

TEST(Arrows, EachLibraryHasItsPlace) {
  expect_all_in(files_that_include(std::regex("^spdlog")), std::regex("^common/base/log"), "spdlog");
  expect_all_in(files_that_include(std::regex("^nlohmann")), std::regex("^proto/"), "nlohmann");
  expect_all_in(files_that_include(std::regex("^asio")), std::regex("^daemon/(serve|app)/"), "Asio");
  expect_all_in(files_that_include(std::regex("^yaml-cpp")), std::regex("^daemon/disk/"), "yaml-cpp");
  expect_all_in(files_that_include(std::regex("^utf8proc")), std::regex("^common/"), "utf8proc");
  expect_all_in(files_that_include(std::regex("^btrfsutil")), std::regex("^common/platform/subvolume_linux"), "libbtrfsutil");
  expect_all_in(files_that_include(std::regex("^(archive|archive_entry)\\.h$")), std::regex("^daemon/store/archive\\.cpp$"),
                "libarchive");
  expect_all_in(files_that_include(std::regex("^(openssl/|xxhash)")), std::regex("^daemon/store/sums\\.cpp$"),
                "OpenSSL or xxhash");
  expect_all_in(files_that_include(std::regex("^CLI")), std::regex("^(client/cli|daemon/app)/options"), "CLI11");
}

TEST(Arrows, TheLogIsInOneFile) { EXPECT_LE(files_that_include(std::regex("^spdlog")).size(), 1u); }

TEST(Arrows, NoOtherRoomIncludesAHeaderThatPullsInAllOfJson) {
  const auto heavy = files_that_include(std::regex("^nlohmann/json\\.hpp$"));
  for (const auto* top : {"common", "daemon", "client"}) {
    for (const auto& include : includes_below(top)) EXPECT_FALSE(heavy.contains(include.target)) << where(include);
  }
}

TEST(Arrows, ThreadsOfTheDaemonAreInTheJobRunnerAndTheLoopAlone) {
  // One more, for as long as a job waits for its git: it empties the queue of events that git's reading fills.
  expect_all_in(files_that_include(std::regex("^thread$")),
                std::regex("^(daemon/(jobs|app|serve)|common|client)/|^daemon/git/seal/make_seal\\.cpp$"), "<thread>");
}

TEST(Arrows, MainFilesAreAFewLines) {
  for (const auto* file : {"client/main.cpp", "daemon/app/main.cpp"}) {
    std::ifstream stream(source_dir() / file);
    ASSERT_TRUE(stream) << file;
    int lines = 0;
    for (std::string text; std::getline(stream, text);) ++lines;
    EXPECT_LE(lines, 25) << file;
  }
}
