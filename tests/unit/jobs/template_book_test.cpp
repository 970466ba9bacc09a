#include "daemon/jobs/slot/template_book.hpp"

#include <gtest/gtest.h>

#include "tests/support/process.hpp"

namespace wtpool::jobs {
namespace {

namespace fs = std::filesystem;

class Book : public ::testing::Test {
 protected:
  disk::TemplateRecord record(const std::string& id, std::int64_t made_ns, std::optional<std::string> group = {}) {
    disk::TemplateRecord made;
    made.id = id;
    made.group = std::move(group);
    made.commit = Oid(std::string(40, 'a'));
    made.made_ns = made_ns;
    made.create = "reflink";
    made.boot_id = "some boot";
    made.synced = true;
    made.settings = "ab";
    made.generation = 12;
    made.carried = {{"node_modules", 3, 40, {{"package-lock.json", std::string(40, 'b')}, {".nvmrc", ""}}},
                    {"a: b\"", 0, 0, {}}};
    made.left_out = {{".env", "secret"}};
    return made;
  }
  fs::path write(const disk::TemplateRecord& made) {
    const auto place = files.template_files(made.id);
    fs::create_directories(place / "tree");
    disk::write_template_record(place / "template.yaml", made);
    return place;
  }
  test::TempDir directory;
  disk::PoolFiles files{directory.path() / "app"};
};

}  // namespace

TEST_F(Book, ARecordIsReadAsItWasWritten) {
  const auto made = record("one", 5'000'000'123, "ios");
  const auto read = disk::read_template_record(write(made) / "template.yaml");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->group, made.group);
  EXPECT_EQ(read->made_ns, made.made_ns);
  EXPECT_EQ(read->made_at, 5);
  EXPECT_EQ(read->generation, made.generation);
  EXPECT_EQ(read->carried, made.carried);
  EXPECT_EQ(read->left_out, made.left_out);
  EXPECT_TRUE(read->synced);
  const std::string text = test::read_text(files.template_files("one") / "template.yaml");
  EXPECT_NE(text.find("\nboot_id: \"some boot\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nsynced: true\n"), std::string::npos) << text;
  // Cut anywhere, it is none, or it says that it was not synced.
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    test::write_text(files.template_files("one") / "template.yaml", text.substr(0, length));
    const auto cut = disk::read_template_record(files.template_files("one") / "template.yaml");
    EXPECT_TRUE(!cut || !cut->synced || length + 2 > text.size()) << length;
  }
}

TEST_F(Book, UsesTheNewestOfEachGroupAndNamesTheRestAsUnused) {
  write(record("old", 1'000'000'000));
  write(record("new", 2'000'000'000));
  write(record("ios", 1'000'000'000, "ios"));
  fs::create_directories(files.template_files("torn") / "tree");
  TemplateBook book(files);
  ASSERT_NE(book.usable({}), nullptr);
  EXPECT_EQ(book.usable({})->record.id, "new");
  EXPECT_EQ(book.usable("ios")->record.id, "ios");
  EXPECT_EQ(book.usable("android"), nullptr);
  EXPECT_EQ(book.take_unused(), (std::vector<std::string>{"torn", "old"}));
  EXPECT_TRUE(book.take_unused().empty());
}

TEST_F(Book, WhatIsReplacedOrDroppedGoesWhenNobodyHasIt) {
  TemplateBook book(files);
  book.put(std::make_shared<const Template>(record("one", 1'000'000'000), files.template_files("one")));
  auto user = book.usable({});
  book.put(std::make_shared<const Template>(record("two", 2'000'000'000), files.template_files("two")));
  EXPECT_TRUE(book.take_unused().empty());
  user.reset();
  EXPECT_EQ(book.take_unused(), std::vector<std::string>{"one"});
  EXPECT_FALSE(book.drop("one"));
  EXPECT_TRUE(book.drop("two"));
  EXPECT_EQ(book.usable({}), nullptr);
  EXPECT_EQ(book.take_unused(), std::vector<std::string>{"two"});
}

TEST_F(Book, ADamagedOneIsNotUsableAndStillListed) {
  TemplateBook book(files);
  const auto made = std::make_shared<const Template>(record("one", 1'000'000'000), files.template_files("one"));
  book.put(made);
  made->damaged = true;
  EXPECT_EQ(book.usable({}), nullptr);
  EXPECT_EQ(book.all().size(), 1u);
}

}  // namespace wtpool::jobs
