#include "daemon/store/extract.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "daemon/store/sums.hpp"
#include "tests/unit/store/tars.hpp"

namespace wtpool::store {
namespace {

namespace fs = std::filesystem;
using test::archive_of;
using test::Form;
using test::tar_of;
using test::TarMember;

class Extract : public ::testing::Test {
 protected:
  void SetUp() override {
    top = fs::temp_directory_path() / ("wtpool-store-" + random_hex(12));
    fs::create_directories(top / "tmp");
    std::ofstream(top / "outside") << "as it was";
  }
  void TearDown() override { remove_tree(top); }

  fs::path fresh() const { return top / "tmp" / random_hex(12); }

  // The refusal's message; empty when it was taken.
  std::string refusal(const std::string& archive, const Limits& limits = {}) {
    const fs::path tree = fresh();
    std::string why;
    try {
      (void)extract_bytes(archive, tree, limits);
    } catch (const proto::Error& error) {
      EXPECT_EQ(error.kind, proto::ErrorKind::store_refused) << error.message;
      why = error.message;
    }
    remove_tree(tree);
    return why;
  }

  void expect_nothing_outside() {
    std::vector<fs::path> found;
    for (const auto& each : fs::directory_iterator(top)) found.push_back(each.path().filename());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (std::vector<fs::path>{"outside", "tmp"}));
    std::ifstream file(top / "outside");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), "as it was");
    EXPECT_EQ(fs::hard_link_count(top / "outside"), 1U);
  }

  fs::path top;
};

std::vector<TarMember> good() {
  return {{"lib/", '5', "", "", 0755},
          {"lib/a.so", '0', std::string(3000, 'a'), "", 0755},
          {"lib/b.so", '2', "", "a.so"},
          {"include/deep/c.h", '0', "int c;\n", "", 0664},
          {"empty", '0', "", "", 0600}};
}

TEST_F(Extract, ReadsEveryFormToTheSameTree) {
  const Listing plain = extract_bytes(tar_of(good()), fresh(), {}).listing;
  EXPECT_EQ(plain.files(), 4U);
  for (const Form form : {Form::tar, Form::tar_gz, Form::tar_xz, Form::tar_zst, Form::zip}) {
    const fs::path tree = fresh();
    const std::string bytes = archive_of(good(), form);
    const Extracted out = extract_bytes(bytes, tree, {});
    EXPECT_EQ(first_difference(plain, out.listing), std::nullopt) << static_cast<int>(form);
    EXPECT_EQ(out.sha256, sha256_hex(bytes)) << static_cast<int>(form);
    EXPECT_EQ(fs::read_symlink(tree / "lib/b.so"), "a.so");
  }
  const fs::path tree = fresh();
  (void)extract_bytes(tar_of(good()), tree, {});
  EXPECT_EQ(first_difference(plain, extract(tree, fresh(), {}).listing), std::nullopt);
}

TEST_F(Extract, LeavesNothingWritable) {
  const fs::path tree = fresh();
  const Listing listing = extract_bytes(tar_of(good()), tree, {}).listing;
  for (const Node& node : listing.nodes) {
    struct ::stat status {};
    ASSERT_EQ(::lstat((tree / node.path).c_str(), &status), 0);
    if (node.kind == NodeKind::symlink) continue;
    EXPECT_EQ(status.st_mode & 07777U, node.mode) << node.path;
    EXPECT_EQ(status.st_mode & 0222U, 0U) << node.path;
    EXPECT_EQ(modified_ns(status), node.mtime_ns) << node.path;
  }
  EXPECT_EQ(listing.find("lib/a.so")->mode, 0555U);
  EXPECT_EQ(listing.find("include/deep/c.h")->mode, 0444U);
  EXPECT_EQ(listing.find("lib/a.so")->mtime_ns, 1'700'000'000'000'000'000);
}

TEST_F(Extract, DropsSetIdAndStickyBitsAndTimesToCome) {
  const auto out =
      extract_bytes(tar_of({{"su", '0', "x", "", 06755, wall_now() + 100'000}, {"d", '5', "", "", 01777}}), fresh(), {});
  EXPECT_EQ(out.listing.find("su")->mode, 0555U);
  EXPECT_EQ(out.listing.find("d")->mode, 0555U);
  EXPECT_LE(out.listing.find("su")->mtime_ns, (wall_now() + 1) * 1'000'000'000);
}

TEST_F(Extract, TakesHardLinksToWhatTheArchiveWrote) {
  const fs::path tree = fresh();
  const auto out = extract_bytes(tar_of({{"a", '0', "same"}, {"d/b", '1', "", "./a"}}), tree, {});
  EXPECT_EQ(fs::hard_link_count(tree / "a"), 2U);
  EXPECT_EQ(out.listing.find("d/b")->sum, xxh3("same"));
}

TEST_F(Extract, RefusesWhatReachesOutAndNamesTheMember) {
  const std::string outside = (top / "outside").string();
  const std::vector<std::pair<std::vector<TarMember>, std::string>> hostile{
      {{{outside, '0', "x"}}, "absolute"},
      {{{"../outside", '0', "x"}}, "'..'"},
      {{{"a/../../outside", '0', "x"}}, "'..'"},
      {{{"l", '2', "", ".."}, {"l/outside", '0', "x"}}, "below the symlink 'l'"},
      {{{"l", '2', "", "/"}}, "out of the entry"},
      {{{"a/l", '2', "", "../.."}}, "out of the entry"},
      {{{"d/x", '0', ""}, {"d/up", '2', "", ".."}, {"esc", '2', "", "d/up/../../outside"}}, "out of the entry"},
      {{{"a", '2', "", "b/.."}, {"b", '2', "", "."}}, "out of the entry"},
      {{{"h", '1', "", outside}}, "hard link"},
      {{{"h", '1', "", "../outside"}}, "hard link"},
      {{{"h", '1', "", "not-there"}}, "hard link"},
      {{{"l", '2', "", "x"}, {"h", '1', "", "l"}}, "hard link"},
      {{{"d/", '5'}, {"h", '1', "", "d"}}, "hard link"},
      {{{"f", '0', "x"}, {"f/under", '0', "x"}}, "below the file 'f'"},
      {{{"f", '0', "x"}, {"./f", '0', "y"}}, "twice"},
      {{{"d/", '5'}, {"d", '5'}}, "twice"},
      {{{"d/x", '0', ""}, {"d", '2', "", "x"}}, "twice"},
      {{{"null", '3', ""}}, "neither file"},
      {{{"pipe", '6', ""}}, "neither file"},
  };
  for (const auto& [members, why] : hostile) {
    const std::string told = refusal(tar_of(members));
    EXPECT_FALSE(told.empty()) << members.back().name;
    EXPECT_NE(told.find(why), std::string::npos) << told;
    EXPECT_NE(told.find("the member '"), std::string::npos) << told;
    expect_nothing_outside();
  }
}

TEST_F(Extract, RefusesGitDirectoriesInEverySpelling) {
  for (const char* name :
       {".git", ".GIT", ".Git/config", "a/.git/hooks/post-checkout", "git~1", "GIT~1/x", ".git.", ".git ", ".git. .",
        ".git::$INDEX_ALLOCATION", ".g\u200cit", ".gi\u2060t", ".g\xEF\xBB\xBFit", "a\\.git\\x"}) {
    const std::string told = refusal(tar_of({{name, '0', "x"}}));
    if (std::string_view(name).find("\u2060") != std::string_view::npos) continue;  // HFS+ does not ignore that one
    EXPECT_NE(told.find("'.git'"), std::string::npos) << name << ": " << told;
  }
  for (const char* name : {".gitignore", ".gitmodules", "git", "a.git", ".git-x", "git~11"})
    EXPECT_EQ(refusal(tar_of({{name, '0', "x"}})), "") << name;
}

TEST_F(Extract, RefusesBombs) {
  Limits few;
  few.files = 100;
  std::vector<TarMember> many;
  for (int i = 0; i < 200; ++i) many.push_back({"f" + std::to_string(i), '0', ""});
  EXPECT_NE(refusal(tar_of(many), few).find("more than 100 members"), std::string::npos);
  Limits small;
  small.bytes = 10'000;
  EXPECT_NE(refusal(tar_of({{"a", '0', std::string(9'000, 'x')}, {"b", '0', std::string(9'000, 'x')}}), small)
                .find("more than 10000 bytes"),
            std::string::npos);
  Limits dense;
  dense.ratio_from = 1 << 20;
  const std::string bomb = archive_of({{"zeros", '0', std::string(20 << 20, '\0')}}, Form::tar_zst);
  EXPECT_NE(refusal(bomb, dense).find("times the bytes of the archive"), std::string::npos);
  EXPECT_EQ(refusal(archive_of({{"zeros", '0', std::string(1 << 19, '\0')}}, Form::tar_zst), dense), "");
}

TEST_F(Extract, RefusesAnArchiveThatIsCutAtAnyBlock) {
  const std::string whole = tar_of(good());
  const Listing all = extract_bytes(whole, fresh(), {}).listing;
  for (std::size_t size = 0; size < whole.size() - 1024; size += 100) {
    const fs::path tree = fresh();
    try {
      const Extracted out = extract_bytes(whole.substr(0, size), tree, {});
      // A tar that ends between two members is whole to every reader of tars.
      EXPECT_EQ(size % 512, 0U) << size;
    } catch (const proto::Error&) {
    }
    remove_tree(tree);
  }
  for (const Form form : {Form::tar_gz, Form::tar_xz, Form::tar_zst, Form::zip}) {
    const std::string packed = archive_of(good(), form);
    for (std::size_t size = 0; size + 1 < packed.size(); size += 7)
      EXPECT_NE(refusal(packed.substr(0, size)), "") << static_cast<int>(form) << " cut at " << size;
  }
  expect_nothing_outside();
}

TEST_F(Extract, RefusesWrongSumsAndWhatIsNoArchive) {
  EXPECT_NE(refusal(tar_of({{"a", '0', "x", "", 0644, 0, true}})), "");
  EXPECT_NE(refusal("this is no archive"), "");
  EXPECT_NE(refusal(""), "");
  EXPECT_NE(refusal(std::string(3000, 'x')), "");
}

TEST_F(Extract, AThousandHostileArchivesTouchNothingOutside) {
  const std::vector<std::string> names{"a",
                                       "a/b",
                                       "../x",
                                       "/tmp/wtpool-never",
                                       ".git/x",
                                       "a/../../x",
                                       "./a/./b",
                                       "l",
                                       "l/x",
                                       "a/l/x",
                                       std::string(300, 'n'),
                                       std::string(120, 'd') + "/x"};
  const std::vector<std::string> targets{"..", ".", "/", "../../../outside", "l", "a", "a/b", "../outside", "l/../.."};
  const std::string types = "012356";
  std::uint64_t seed = 20260505;
  const auto below = [&seed](std::size_t end) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33) % end;
  };
  for (int round = 0; round < 1000; ++round) {
    std::vector<TarMember> members;
    for (std::size_t count = 1 + below(6); count > 0; --count) {
      TarMember member;
      member.name = names[below(names.size())];
      member.type = types[below(types.size())];
      member.content = member.type == '0' ? std::string(below(700), 'c') : "";
      member.target = targets[below(targets.size())];
      member.mode = static_cast<unsigned>(below(010000));
      member.wrong_sum = below(40) == 0;
      members.push_back(member);
    }
    std::string tar = tar_of(members);
    if (below(4) == 0) tar.resize(below(tar.size()));
    if (below(4) == 0 && !tar.empty()) tar[below(tar.size())] = static_cast<char>(below(256));
    (void)refusal(tar);
  }
  expect_nothing_outside();
  EXPECT_FALSE(fs::exists("/tmp/wtpool-never"));
}

TEST_F(Extract, StopsWhenItIsTold) {
  Limits limits;
  limits.stopped = [] { return true; };
  std::vector<TarMember> many;
  for (int i = 0; i < 200; ++i) many.push_back({"f" + std::to_string(i), '0', ""});
  EXPECT_THROW((void)extract_bytes(tar_of(many), fresh(), limits), proto::Error);
}

TEST(StoreListing, IsReadBackAsItWasWritten) {
  Listing listing;
  listing.nodes = {{NodeKind::directory, 0555, 0, 5, 0, ""},
                   {NodeKind::file, 0444, 12, -7, 99, "a b\n"},
                   {NodeKind::directory, 0555, 0, 1, 0, "d"},
                   {NodeKind::symlink, 0777, 0, 1, 3, "d/x"},
                   {NodeKind::file, 0444, 0, 1, 3, "d-x"}};
  const std::string text = format_listing(listing);
  ASSERT_TRUE(parse_listing(text));
  EXPECT_EQ(parse_listing(text)->nodes, listing.nodes);
  EXPECT_NE(listing.find("d/x"), nullptr);
  EXPECT_EQ(listing.find("d/y"), nullptr);
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(parse_listing(text.substr(0, size))) << size;
}

}  // namespace
}  // namespace wtpool::store
