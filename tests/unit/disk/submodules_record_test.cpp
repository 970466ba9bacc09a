#include "daemon/disk/submodules_record.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <filesystem>

namespace wtpool::disk {
namespace {

const std::string kId(40, 'a');

TEST(SubmodulesRecord, IsALineEachWithTabsAndQuotesAsGitDoes) {
  const std::vector<SubmoduleRecord> records{{"lib/a b", "a", "/m/a.git", Oid(kId)},
                                             {"t\tn\n\"\\\x01\xc3\xa4", "n\x7f", "/m/b.git", Oid(std::string(64, 'b'))}};
  const std::string text = format_submodules(records);
  EXPECT_EQ(text, "lib/a b\ta\t/m/a.git\t" + kId + "\n" + R"("t\tn\n\"\\\001\303\244")" + "\t" + R"("n\177")" + "\t/m/b.git\t" +
                      std::string(64, 'b') + "\n");
  EXPECT_EQ(parse_submodules(text), records);
  EXPECT_EQ(parse_submodules(""), std::vector<SubmoduleRecord>{});
}

TEST(SubmodulesRecord, EveryByteOfAPathComesBack) {
  std::string path;
  for (int byte = 1; byte < 256; ++byte) path += static_cast<char>(byte);
  const std::vector<SubmoduleRecord> records{{path, path, path, Oid(kId)}};
  EXPECT_EQ(parse_submodules(format_submodules(records)), records);
}

TEST(SubmodulesRecord, HalfOfItIsNone) {
  const std::string whole = format_submodules({{"p", "n", "/m", Oid(kId)}, {"\xc3\xa4", "n", "/m", Oid(kId)}});
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t size = 1; size < whole.size(); ++size)
    if (size != first) {
      EXPECT_FALSE(parse_submodules(whole.substr(0, size))) << size;
    }
  for (const std::string& bad :
       {std::string("\n"), "p\tn\t/m\t" + kId + "\tx\n", std::string("p\tn\t/m\tXX\n"), "\tn\t/m\t" + kId + "\n",
        "\"p\tn\t/m\t" + kId + "\n", "\"\\9\"\tn\t/m\t" + kId + "\n", "\"\\400\"\tn\t/m\t" + kId + "\n"})
    EXPECT_FALSE(parse_submodules(bad)) << bad;
}

TEST(SubmodulesRecord, IsReadAsItWasWritten) {
  char pattern[] = "/tmp/wtpool-record-XXXXXX";
  const std::filesystem::path directory = ::mkdtemp(pattern);
  const std::vector<SubmoduleRecord> records{{"p", "n", "/m", Oid(kId)}};
  EXPECT_FALSE(read_submodules(directory / "submodules"));
  write_submodules(directory / "submodules", records);
  EXPECT_EQ(read_submodules(directory / "submodules"), records);
  std::filesystem::create_directory(directory / "other");
  EXPECT_FALSE(read_submodules(directory / "other"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace wtpool::disk
