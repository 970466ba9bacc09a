#include "tests/support/events.hpp"

#include <gtest/gtest.h>

namespace wtpool::test {

Events::Events(const fs::path& socket, const std::string& pool) : wire_(socket) {
  EXPECT_TRUE(wire_.call("events.subscribe", {{"pool", pool}}).contains("result"));
  reader_ = std::thread([this] {
    while (!over_) {
      if (const auto line = wire_.read_line(std::chrono::milliseconds(50))) take(nlohmann::json::parse(*line));
    }
  });
}

Events::~Events() {
  over_ = true;
  reader_.join();
}

bool Events::saw(const std::string& type, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return seen_.contains(type + " " + name);
}

std::vector<Event> Events::all() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

void Events::take(const nlohmann::json& line) {
  if (line.value("method", "") != "event") return;
  const auto& params = line["params"];
  const auto text = [&](const char* key) {
    return params.contains(key) && params[key].is_string() ? params[key].get<std::string>() : std::string();
  };
  if (params.contains("dropped") && params["dropped"].is_number()) dropped_ += params["dropped"].get<std::int64_t>();
  Event event{params["seq"], text("type"), text("slot"), text("name"), 0};
  if (params.contains("ticket") && params["ticket"].is_number()) event.ticket = params["ticket"];
  const std::lock_guard lock(mutex_);
  seen_.insert(event.type + " " + event.name);
  events_.push_back(std::move(event));
}

QueueReport judge_queue(const std::vector<Event>& events, const std::set<std::string>& survivors) {
  QueueReport report;
  const auto broke = [&](const std::string& what) { report.broken.push_back(what); };
  std::map<std::int64_t, std::string> queue;
  std::int64_t last_seq = 0;
  for (const auto& event : events) {
    if (last_seq != 0 && event.seq != last_seq + 1) {
      broke("after event " + std::to_string(last_seq) + " came " + std::to_string(event.seq));
    }
    last_seq = event.seq;
    if (event.type == "queued") {
      if (event.ticket <= 0) broke(event.name + " waits without a ticket");
      if (!queue.emplace(event.ticket, event.name).second) broke("ticket " + std::to_string(event.ticket) + " twice");
    } else if (event.type == "dequeued") {
      const auto found = queue.find(event.ticket);
      if (found == queue.end()) {
        broke(event.name + " left a queue that it was not in");
        continue;
      }
      if (survivors.contains(event.name)) {
        ++report.served;
        if (found != queue.begin()) {
          broke(event.name + " with " + std::to_string(event.ticket) + " was served before " + queue.begin()->second +
                " with " + std::to_string(queue.begin()->first));
        }
      }
      queue.erase(found);
    }
  }
  if (!queue.empty()) broke(queue.begin()->second + " waits for ever");
  return report;
}

}  // namespace wtpool::test
