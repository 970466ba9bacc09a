// The frozen frames, said to a real daemon: every request of every release is understood, and answered once, in the frozen
// shape.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

std::vector<fs::path> frozen_requests() {
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator(fs::path(WTPOOL_SOURCE_DIR) / "tests/golden/v1")) {
    if (item.path().filename().string().ends_with(".request.json")) files.push_back(item.path());
  }
  // First what the others stand on, last what takes it away.
  const auto rank = [](const fs::path& file) {
    const std::string name = file.filename().string();
    if (name.starts_with("hello")) return 0;
    if (name.starts_with("pool.init")) return 1;
    if (name.starts_with("slot.acquire")) return 2;
    if (name.starts_with("pool.remove")) return 8;
    return name.starts_with("host.shutdown") ? 9 : 5;
  };
  std::sort(files.begin(), files.end(),
            [&](const auto& a, const auto& b) { return std::pair(rank(a), a) < std::pair(rank(b), b); });
  return files;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// An answer gains keys and loses none.
bool says_all_of(const json& answer, const json& frozen) {
  return std::ranges::all_of(keys_of(frozen), [&answer](const std::string& key) { return answer.contains(key); });
}

TEST(GoldenFrames, AreUnderstoodByADaemonAndAnsweredOnceInTheFrozenShape) {
  World world;
  const Repo source = world.make_repo("myapp");
  source.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
  world.start_daemon();
  Wire wire(world.socket());
  int id = 100;
  int results = 0;
  for (const auto& file : frozen_requests()) {
    std::string line = replaced(trimmed(read_text(file)), "/home/ada/myapp", source.path().string());
    line = replaced(line, "/home/ada/pools", world.root().string());
    line = replaced(line, "\"owner_pid\":4711", "\"owner_pid\":" + std::to_string(::getpid()));
    line = replaced(line, "\"resume\":true,\"replace\":true", "\"resume\":true");  // one at a time
    json request = json::parse(line);
    request["id"] = ++id;
    ASSERT_TRUE(wire.send(request.dump() + "\n")) << file;
    json answer;
    do {
      answer = wire.read();
      ASSERT_FALSE(answer.is_discarded()) << file;
    } while (answer.contains("method"));
    ASSERT_EQ(answer.at("id"), id) << file << "\n" << answer;
    if (answer.contains("error")) {
      // Of a slot or lease that is not there; never that the request itself is strange, nor that the daemon is.
      EXPECT_GT(answer["error"]["code"].get<int>(), 0) << file << "\n" << answer;
      EXPECT_TRUE(answer["error"]["data"]["kind"].is_string()) << file;
      continue;
    }
    ++results;
    const fs::path frozen = replaced(file.string(), ".request.json", ".answer.json");
    if (!fs::exists(frozen)) continue;
    const json shape = json::parse(read_text(frozen)).at("result");
    ASSERT_EQ(shape.type(), answer["result"].type()) << file;
    if (shape.is_object()) {
      EXPECT_TRUE(says_all_of(answer["result"], shape)) << file << "\n" << answer;
    }
    if (shape.is_array() && !shape.empty() && !answer["result"].empty()) {
      EXPECT_TRUE(says_all_of(answer["result"].at(0), shape.at(0))) << file << "\n" << answer;
    }
  }
  EXPECT_GE(results, 8);
}

}  // namespace
}  // namespace wtpool::test
