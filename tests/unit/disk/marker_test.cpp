#include "daemon/disk/marker.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/common/scratch.hpp"

namespace wtpool::disk {
namespace {

namespace fs = std::filesystem;
using core::Marker;
using testing::put;
using testing::Scratch;

const std::string kSha(40, 'a');

Marker full_marker() {
  Marker marker;
  marker.lease.id = LeaseId("0123456789abcdef0123456789abcdef");
  marker.lease.name = "feature/grün-1";
  marker.lease.kind = core::LeaseKind::process;
  marker.lease.started_at = 1777952096;
  marker.lease.full_sha = Oid(kSha);
  marker.lease.branch_base = Oid(std::string(64, 'b'));
  marker.lease.group = "ios";
  marker.lease.key = std::string("ci: \"4711\" #1\n\\ \x01 {a}, 'q' \xe2\x80\xa8 null");
  marker.lease.ttl = core::seconds(86400);
  marker.lease.owner = core::Owner{4711, 123456, "8d1e0c52-0000-4000-8000-123456789abc"};
  marker.state = core::MarkerState::releasing;
  marker.on_dirty = core::Dirty::discard;
  marker.trash_id = "20260505T033456Z-01234567";
  return marker;
}

bool readable(const std::variant<Marker, std::string>& read) { return std::holds_alternative<Marker>(read); }
bool reads_as_none(const std::string& text) { return !readable(parse_marker(text)); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Marker, ReadsWhatItWrote) {
  for (const auto state : {core::MarkerState::acquiring, core::MarkerState::held, core::MarkerState::releasing}) {
    Marker marker = full_marker();
    marker.state = state;
    marker.fresh = state == core::MarkerState::acquiring;
    const auto read = parse_marker(format_marker(marker));
    ASSERT_TRUE(readable(read)) << std::get<std::string>(read);
    EXPECT_EQ(std::get<Marker>(read), marker);
  }
}

TEST(Marker, ReadsWhatItWroteWhateverWordsAreInIt) {
  for (const char* const word :
       {"null", "true", "no", "~", "1",  "1e3", "0x10",   "-",  ".inf", "",   "a: b",       "a #b",         "[",    "*a",
        "&a",   "!x",   "%",  "'", "\"", "- a", "a\r\nb", "\t", "=",    "<<", "2026-05-05", "\xef\xbb\xbf", "# end"}) {
    Marker marker = full_marker();
    marker.lease.key = word;
    const auto read = parse_marker(format_marker(marker));
    ASSERT_TRUE(readable(read)) << word << ": " << std::get<std::string>(read);
    EXPECT_EQ(std::get<Marker>(read), marker) << word;
  }
}

TEST(Marker, SaysThatItsSlotIsFreshOrNothingOfIt) {
  Marker marker = full_marker();
  EXPECT_EQ(format_marker(marker).find("fresh"), std::string::npos);
  marker.fresh = true;
  const std::string text = format_marker(marker);
  EXPECT_NE(text.find("\nfresh: true\n"), std::string::npos) << text;
  EXPECT_TRUE(reads_as_none(replaced(text, "fresh: true", "fresh: false"))) << "no wtpool writes that";
}

TEST(Marker, StandsWithTheReferenceToolsKeysFirstAndPlain) {
  const std::string text = format_marker(full_marker());
  EXPECT_NE(text.find("\nstarted_at: 2026-05-05T03:34:56Z\nfull_sha: " + kSha + "\ngroup: ios\nformat: 2\nstate: releasing\n"),
            std::string::npos)
      << text;
}

TEST(Marker, CutAtAnyByteIsNeverAnotherMarker) {
  Marker held = full_marker();
  held.state = core::MarkerState::held;
  held.on_dirty.reset();
  held.trash_id.reset();
  for (const Marker& marker : {full_marker(), held}) {
    const std::string text = format_marker(marker);
    for (std::size_t length = 0; length < text.size(); ++length) {
      EXPECT_TRUE(reads_as_none(text.substr(0, length))) << text.substr(0, length);
      std::string zeroed = text.substr(0, length);
      zeroed.resize(text.size(), '\0');
      EXPECT_TRUE(reads_as_none(zeroed)) << length;
    }
  }
}

TEST(Marker, SurvivesAnyByteInAnyPlace) {
  const std::string text = format_marker(full_marker());
  for (std::size_t at = 0; at < text.size(); ++at)
    for (const char byte :
         {'\0', '\n', '\r', '\t', ':', '"', '\'', '\\', '[', '{', '*', '&', '!', '%', '#', '-', '\x80', '\xff'}) {
      std::string changed = text;
      changed[at] = byte;
      (void)parse_marker(changed);
    }
}

TEST(Marker, SurvivesTextsMadeToHurtAParser) {
  for (const std::string& text :
       {std::string(60000, '['), std::string(60000, '{'), std::string(60000, '-'), std::string(70000, 'a'),
        std::string(60000, '\n'), std::string("- ") + std::string(30000, ' '), std::string("&a [*a]"), std::string("a: *b"),
        std::string("%YAML 9.9\n---\n"), std::string("\xff\xfe"), std::string("---\n---\n"), std::string("? [a]\n: b"),
        std::string("!!binary x"), std::string("!x ...\n? "), std::string("&x ---\n? "), std::string()})
    EXPECT_TRUE(reads_as_none(text)) << text.substr(0, 40);
}

TEST(Marker, TakesAnAdoptedOneAsADurableLeaseWithoutAnEnd) {
  const std::string text = "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + kSha + "\n";
  for (const std::string& form :
       {text, replaced(text, "2026-05-05T03:34:56Z", "'2026-05-05T03:34:56Z'"), replaced(text, kSha, "\"" + kSha + "\""),
        "---\n" + text + "group: null\n", replaced(text, "56Z", "56.123456+00:00"), "other: 1\n" + text}) {
    const auto read = parse_marker(form);
    ASSERT_TRUE(readable(read)) << form << std::get<std::string>(read);
    const core::Lease& lease = std::get<Marker>(read).lease;
    EXPECT_TRUE(lease.adopted);
    EXPECT_EQ(lease.kind, core::LeaseKind::durable);
    EXPECT_EQ(lease.started_at, 1777952096);
    EXPECT_EQ(lease.full_sha.str(), kSha);
    EXPECT_EQ(lease.name, "");
    EXPECT_EQ(lease.id.str().size(), 32u);
    EXPECT_FALSE(lease.ttl || lease.group || lease.key || lease.branch_base);
    EXPECT_EQ(lease.id, std::get<Marker>(parse_marker(text)).lease.id) << "the same lease has the same id";
  }
  EXPECT_NE(std::get<Marker>(parse_marker(text)).lease.id,
            std::get<Marker>(parse_marker(replaced(text, "56Z", "57Z"))).lease.id);
}

TEST(Marker, KeepsAnAdoptedLeaseAdoptedWhenItIsWrittenAgain) {
  const std::string text = "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + kSha + "\ngroup: ios\n";
  Marker marker = std::get<Marker>(parse_marker(text));
  marker.state = core::MarkerState::releasing;
  EXPECT_EQ(std::get<Marker>(parse_marker(format_marker(marker))), marker);
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto cut = parse_marker(text.substr(0, length));
    if (readable(cut)) {
      EXPECT_EQ(std::get<Marker>(cut).lease.full_sha.str(), kSha);
    }
  }
  EXPECT_TRUE(reads_as_none(text.substr(0, text.size() - 1))) << "the group may have lost its end";
}

TEST(Marker, SaysWhyABrokenOneIsNone) {
  const std::string good = format_marker(full_marker());
  const auto broken = [&](const std::string& from, const std::string& to) { return reads_as_none(replaced(good, from, to)); };
  EXPECT_TRUE(broken("format: 2", "format: 3"));
  EXPECT_TRUE(broken("format: 2\n", ""));
  EXPECT_TRUE(broken("state: releasing", "state: sleeping"));
  EXPECT_TRUE(broken("state: releasing\n", ""));
  EXPECT_TRUE(broken("full_sha: a", "full_sha: A"));
  EXPECT_TRUE(broken("full_sha: a", "full_sha: "));
  EXPECT_TRUE(broken("lease_id: 0", "lease_id: x"));
  EXPECT_TRUE(broken("lease_kind: process", "lease_kind: eternal"));
  EXPECT_TRUE(broken("ttl_seconds: 86400", "ttl_seconds: -1"));
  EXPECT_TRUE(broken("ttl_seconds: 86400", "ttl_seconds: 99999999999999999999"));
  EXPECT_TRUE(broken("owner_pid: 4711", "owner_pid: 0"));
  EXPECT_TRUE(broken("owner_start: 123456\n", ""));
  EXPECT_TRUE(broken("on_dirty: discard", "on_dirty: shrug"));
  EXPECT_TRUE(broken("trash_id: \"2", "trash_id: \"../2"));
  EXPECT_TRUE(broken("started_at: 2026", "started_at: 2026-13"));
  EXPECT_TRUE(broken("group: ios", "group: ../ios"));
  EXPECT_TRUE(broken("format: 2", "format: 2\nformat: 2"));
  EXPECT_TRUE(broken("name: ", "name: -rf\n# "));
  const auto why = parse_marker(replaced(good, "state: releasing", "state: \"a\\nb\""));
  EXPECT_EQ(std::get<std::string>(why), "its state is 'a\\x0ab'");
}

TEST(MarkerFile, WritesReadsAndRemoves) {
  const Scratch scratch;
  const EntryFiles entry(SourceId(scratch.path.string()), "slot-0");
  const MarkerFile file(entry.marker());
  EXPECT_THROW((void)file.write(full_marker()), proto::Error) << "an entry that is not there is not made";
  EXPECT_FALSE(fs::exists(entry.entry));
  fs::create_directories(entry.entry);
  EXPECT_FALSE(file.read().has_value());
  (void)file.write(full_marker());
  (void)file.write(full_marker());
  EXPECT_EQ(std::get<Marker>(*file.read()), full_marker());
  EXPECT_TRUE(file.remove());
  EXPECT_FALSE(file.remove());
  EXPECT_FALSE(file.read().has_value());
}

TEST(MarkerFile, DoesNotWriteThroughASymlink) {
  const Scratch scratch;
  const EntryFiles entry(SourceId(scratch.path.string()), "slot-0");
  fs::create_directories(entry.entry);
  fs::create_directories(scratch / "elsewhere");
  fs::create_directory_symlink(scratch / "elsewhere", entry.own());
  EXPECT_THROW((void)MarkerFile(entry.marker()).write(full_marker()), proto::Error);
  EXPECT_TRUE(fs::is_empty(scratch / "elsewhere"));
}

TEST(MarkerFile, GivesAReasonForWhatItCannotRead) {
  const Scratch scratch;
  fs::create_directory(scratch / "directory");
  put(scratch / "zeros", std::string(300, '\0'));
  put(scratch / "huge", std::string(100000, 'a'));
  fs::create_symlink(scratch / "zeros", scratch / "link");
  for (const char* const name : {"directory", "zeros", "huge", "link"}) {
    const auto read = MarkerFile(scratch / name).read();
    ASSERT_TRUE(read.has_value()) << name;
    EXPECT_TRUE(std::holds_alternative<std::string>(*read)) << name;
  }
}

TEST(Intent, ReadsWhatItWroteAndNothingThatWasCut) {
  const Scratch scratch;
  const Intent intent{
      full_marker(), {"slot-0", "null", "with space", "caf\xc3\xa9", "\xff\xfe", "hex:00", "a\nb", "- x"}, true};
  write_intent(scratch / "i", intent);
  const auto read = read_intent(scratch / "i");
  ASSERT_TRUE(read && std::holds_alternative<Intent>(*read)) << std::get<std::string>(*read);
  EXPECT_EQ(std::get<Intent>(*read).marker, intent.marker);
  EXPECT_EQ(std::get<Intent>(*read).entries, intent.entries);
  EXPECT_TRUE(std::get<Intent>(*read).directory_existed);

  const std::string text = read_file(scratch / "i").value();
  for (std::size_t length = 0; length < text.size(); ++length) {
    put(scratch / "cut", text.substr(0, length));
    const auto cut = read_intent(scratch / "cut");
    EXPECT_TRUE(cut && std::holds_alternative<std::string>(*cut)) << length;
  }
  put(scratch / "cut", std::string(text.size(), '\0'));
  EXPECT_TRUE(std::holds_alternative<std::string>(*read_intent(scratch / "cut")));
  EXPECT_FALSE(read_intent(scratch / "absent").has_value());
  write_intent(scratch / "none", Intent{full_marker(), {}, false});
  EXPECT_TRUE(std::get<Intent>(*read_intent(scratch / "none")).entries.empty());
}

TEST(QuarantineRecord, ReadsWhatItWroteAndAnUnreadableOneIsAReasonToo) {
  const Scratch scratch;
  write_quarantine(scratch / "q/slot-0.yaml", {"git said: \"no\"\n\xff", 1777952096, "recycle"});
  const auto read = read_quarantine(scratch / "q/slot-0.yaml");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->reason, "git said: \"no\"\\x0a\\xff");
  EXPECT_EQ(read->time, 1777952096);
  EXPECT_EQ(read->doing, "recycle");
  EXPECT_FALSE(read_quarantine(scratch / "absent"));
  for (const std::string text : {"", "reason: x", "[", "\xff"}) {
    put(scratch / "bad", text);
    ASSERT_TRUE(read_quarantine(scratch / "bad"));
    EXPECT_NE(read_quarantine(scratch / "bad")->reason.find("cannot be read"), std::string::npos);
  }
}

TEST(TrashRecord, ReadsWhatItWrote) {
  const Scratch scratch;
  write_trash_record(scratch / "t/id.yaml", {"20260505T033456Z-01234567", "app", "slot-0", "a/b", 1777952096});
  const auto read = read_trash_record(scratch / "t/id.yaml");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, "20260505T033456Z-01234567");
  EXPECT_EQ(read->pool, "app");
  EXPECT_EQ(read->slot, "slot-0");
  EXPECT_EQ(read->name, "a/b");
  EXPECT_EQ(read->time, 1777952096);
  put(scratch / "bad", "id: x\n");
  EXPECT_FALSE(read_trash_record(scratch / "bad"));
}

TEST(Untracked, ReadsWhatItWroteAndNothingThatWasCut) {
  const Scratch scratch;
  const std::vector<UntrackedFile> files{{"a b\nc\xff", 5, -7}, {"build/x", UINT64_MAX, INT64_MAX}, {"end", 0, 0}};
  write_untracked(scratch / "u", files);
  EXPECT_EQ(read_untracked(scratch / "u"), files);
  const std::string text = read_file(scratch / "u").value();
  for (std::size_t length = 0; length < text.size(); ++length) {
    put(scratch / "cut", text.substr(0, length));
    const auto cut = read_untracked(scratch / "cut");
    EXPECT_FALSE(cut.has_value()) << length;
  }
  write_untracked(scratch / "u", {});
  EXPECT_EQ(read_untracked(scratch / "u"), std::vector<UntrackedFile>());
}

TEST(Marker, OfSlotsThatWereTakenInOneSecondAtOneCommitHaveIdsOfTheirOwn) {
  const Scratch scratch;
  const std::string text = "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + std::string(40, 'a') + "\n";
  std::vector<std::string> ids;
  for (const char* entry : {"slot-0", "slot-1", "slot-0"}) {
    const auto file = scratch / (std::string(entry) + "/worktree-pool/lock");
    make_directories(file.parent_path());
    put(file, text);
    const auto read = MarkerFile(file).read();
    ASSERT_TRUE(read && std::holds_alternative<core::Marker>(*read)) << entry;
    ids.push_back(std::get<core::Marker>(*read).lease.id.str());
    EXPECT_EQ(ids.back().size(), 32U);
  }
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
}

}  // namespace
}  // namespace wtpool::disk
