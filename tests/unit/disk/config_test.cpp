#include "daemon/disk/config.hpp"

#include "common/base/duration.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace wtpool::disk {
namespace {

using When = core::FetchPolicy::When;

const std::string kFile = "/pools/app/.meta/config.yaml";
const std::string kFull =
    "schema_version: 1\nsource: /src/app\ndefault_commit: refs/remotes/origin/main\nmax_slots: 4\ngroups: [ios, android]\n"
    "submodule_mirror_mode: git-modules\nsubmodule_mirror_base: ../mirrors\nfetch: 10m\nclean: ignored\non_dirty: refuse\n"
    "ttl: 24h\nfilters: [lfs, crypt]\nsave_limit_bytes: 1000\nsave_limit_files: 5\n";

std::string error_of(const std::string& text) {
  try {
    (void)parse_pool_config(text, kFile);
  } catch (const proto::Error& failure) {
    EXPECT_EQ(failure.kind, proto::ErrorKind::bad_config);
    return failure.message;
  }
  return "accepted";
}

std::string with(const std::string& line) { return "schema_version: 1\nsource: /src\n" + line; }

TEST(PoolConfig, ReadsEveryKey) {
  const auto config = parse_pool_config(kFull, kFile);
  EXPECT_EQ(config.source, "/src/app");
  EXPECT_EQ(config.default_commit, "refs/remotes/origin/main");
  EXPECT_EQ(config.max_slots, 4);
  EXPECT_EQ(config.groups, (std::vector<std::string>{"ios", "android"}));
  EXPECT_EQ(config.submodule_mirror_mode, "git-modules");
  EXPECT_EQ(config.submodule_mirror_base, "/pools/mirrors");
  EXPECT_EQ(config.fetch.when, When::older_than);
  EXPECT_EQ(config.fetch.age.count(), 600);
  EXPECT_EQ(config.clean, core::Clean::ignored);
  EXPECT_EQ(config.on_dirty, core::Dirty::refuse);
  EXPECT_EQ(config.ttl, core::seconds(86400));
  EXPECT_EQ(config.filters, (std::vector<std::string>{"lfs", "crypt"}));
  EXPECT_EQ(config.save_limit_bytes, 1000u);
  EXPECT_EQ(config.save_limit_files, 5u);
}

TEST(PoolConfig, ReadsBackWhatItWrote) {
  auto config = parse_pool_config(kFull, kFile);
  config.source = "/a b/\"c\"/#d: é";
  const std::string text = format_pool_config(config);
  EXPECT_EQ(format_pool_config(parse_pool_config(text, kFile)), text);
  EXPECT_EQ(parse_pool_config(text, kFile).source, config.source);
  const std::string least = format_pool_config(parse_pool_config(with(""), kFile));
  EXPECT_EQ(least, "schema_version: 1\nsource: /src\ndefault_commit: HEAD\nmax_slots: 16\n");
}

TEST(PoolConfig, AllowsLfsWhereItDoesNotSayWhichFiltersMayRun) {
  EXPECT_EQ(parse_pool_config(with(""), kFile).filters, std::vector<std::string>{"lfs"});
  const auto none = parse_pool_config(with("filters: []\n"), kFile);
  EXPECT_TRUE(none.filters.empty());
  EXPECT_TRUE(parse_pool_config(format_pool_config(none), kFile).filters.empty());
}

TEST(PoolConfig, TakesGroupsWithCommasAndNullsAsAbsent) {
  EXPECT_EQ(parse_pool_config(with("groups: \"ios, android\"\n"), kFile).groups, (std::vector<std::string>{"ios", "android"}));
  EXPECT_TRUE(parse_pool_config(with("groups: null\nttl: ~\n"), kFile).groups.empty());
}

TEST(PoolConfig, ExpandsTheHomeDirectory) {
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(parse_pool_config("schema_version: 1\nsource: ~/app\n", kFile).source, "/home/somebody/app");
  EXPECT_EQ(parse_pool_config("schema_version: 1\nsource: ../x/\n", kFile).source, "/pools/x");
}

TEST(PoolConfig, NamesFileLineAndColumnOfWhatIsWrong) {
  EXPECT_EQ(error_of(with("max_slot: 4\n")), kFile + ":3:1: unknown key 'max_slot'");
  EXPECT_EQ(error_of(with("max_slots: many\n")), kFile + ":3:12: max_slots takes a whole number from 1 to 10000, not 'many'");
  EXPECT_EQ(error_of(with("source: /other\n")), kFile + ":3:1: the key stands here a second time");
  EXPECT_TRUE(error_of(with("groups: [a\n")).starts_with(kFile + ":4:")) << error_of(with("groups: [a\n"));
  EXPECT_EQ(error_of(""), kFile + ": schema_version is missing");
  EXPECT_EQ(error_of("schema_version: 1\n"), kFile + ": source is missing");
}

TEST(PoolConfig, RefusesBadValues) {
  for (const char* const line : {"max_slots: 0",
                                 "max_slots: 10001",
                                 "max_slots: \"16\"",
                                 "max_slots: 1.5",
                                 "max_slots: [1]",
                                 "max_slots: 0x10",
                                 "groups: [a, a]",
                                 "groups: [../x]",
                                 "groups: [ios-1]",
                                 "groups: [slot]",
                                 "groups: [[a]]",
                                 "groups: {a: b}",
                                 "groups: \"a,\"",
                                 "groups: [\"\"]",
                                 "submodule_mirror_mode: git-modules",
                                 "submodule_mirror_base: /x",
                                 "submodule_mirror_mode: other\nsubmodule_mirror_base: /x",
                                 "fetch: sometimes",
                                 "fetch: -1s",
                                 "clean: all",
                                 "on_dirty: maybe",
                                 "ttl: 24",
                                 "ttl: 0s",
                                 "ttl: [1h]",
                                 "filters: [\"a b\"]",
                                 "save_limit_bytes: -1",
                                 "default_commit: -x",
                                 "default_commit: \"\"",
                                 "source: [x]",
                                 "? [a]\n: b",
                                 "<<: {ttl: 1h}",
                                 "--- \nschema_version: 1"})
    EXPECT_NE(error_of(with(std::string(line) + "\n")), "accepted") << line;
  EXPECT_NE(error_of("schema_version: 2\nsource: /src\n"), "accepted");
  EXPECT_NE(error_of("- a\n"), "accepted");
  EXPECT_NE(error_of(with("") + std::string(1, '\0')), "accepted");
}

TEST(PoolConfig, CutOrZeroedOrChangedAnywhereItIsReadOrRefused) {
  for (std::size_t length = 0; length <= kFull.size(); ++length) {
    (void)error_of(kFull.substr(0, length));
    std::string zeroed = kFull.substr(0, length);
    zeroed.resize(kFull.size() + 1, '\0');
    EXPECT_NE(error_of(zeroed), "accepted");
  }
  for (std::size_t at = 0; at < kFull.size(); ++at)
    for (const char byte : {'\n', ':', '"', '\'', '[', '{', '*', '&', '!', '%', '#', '-', '\x80', '\xff'}) {
      std::string changed = kFull;
      changed[at] = byte;
      (void)error_of(changed);
    }
  for (const char byte : {'[', '{', '-', ' ', '\n', '"', '?'}) (void)error_of(std::string(60000, byte));
}

TEST(HostConfig, ReadsItsKeysAndIsOptional) {
  EXPECT_EQ(parse_host_config("", "/c/wtpoold.yaml").queue_limit, 1024);
  EXPECT_EQ(parse_host_config("# nothing\n", "/c/wtpoold.yaml").log_level, "info");
  const auto config = parse_host_config(
      "root: pools\nlog_level: debug\ndefault_ttl: 8h\nqueue_limit: 7\ntrash_expiry: 2d\nanswering_jobs: 3\n"
      "recycling_jobs: 1\nreserve: 1024\n",
      "/c/wtpoold.yaml");
  EXPECT_EQ(config.root, "/c/pools");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.default_ttl, core::seconds(8 * 3600));
  EXPECT_EQ(config.queue_limit, 7);
  EXPECT_EQ(config.trash_expiry, core::seconds(2 * 86400));
  EXPECT_EQ(config.answering_jobs, 3);
  EXPECT_EQ(config.recycling_jobs, 1);
  EXPECT_EQ(config.reserve_bytes, 1024u);
  for (const char* const text :
       {"answering_jobs: 1", "log_level: loud", "queue_limit: 0", "other: 1", "reserve: -1", "trash_expiry: x"})
    EXPECT_THROW((void)parse_host_config(text, "/c/wtpoold.yaml"), proto::Error) << text;
}

TEST(Duration, IsANumberAndAUnit) {
  using std::chrono::milliseconds;
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("90s"), milliseconds(90000));
  EXPECT_EQ(parse_duration("10m"), milliseconds(600000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7200000));
  EXPECT_EQ(parse_duration("1d"), milliseconds(86400000));
  for (const char* const bad :
       {"", "s", "10", "-1s", "+1s", "1 s", " 1s", "1S", "1sec", "1s1s", "99999999999999999999s", "40000d"})
    EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
}

}  // namespace
}  // namespace wtpool::disk
