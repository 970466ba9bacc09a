#include "tests/faults/accounted.hpp"

namespace wtpool::test {

namespace {

// A daemon under a sanitizer, on a busy machine, with a thousand others before this one.
constexpr auto kPatience = std::chrono::minutes(10);

}  // namespace

void Books::broke(const std::string& what) {
  const std::lock_guard lock(mutex);
  broken.push_back(what);
}

void Books::survived(const std::string& name) {
  const std::lock_guard lock(mutex);
  survivors.insert(name);
}

AccountedWire::AccountedWire(const fs::path& socket, Books& books) : wire_(socket), books_(books) { ++books.connections; }

AccountedWire::~AccountedWire() { books_.given_up += static_cast<int>(open_.size()); }

bool AccountedWire::greeted() {
  const int id = ++last_id_;
  wire_.send(request(id, "hello", {{"protocol", 1}, {"client", "crowd/1"}}));
  const auto answer = wire_.read(kPatience);
  if (answer.is_discarded()) {
    ++books_.turned_away;
    return false;
  }
  ++books_.requests;
  ++books_.answers;
  if (answer.value("id", json()) != id || !answer.contains("result"))
    books_.broke("8: hello was answered with " + answer.dump());
  return true;
}

int AccountedWire::ask(const std::string& method, const json& params) {
  const int id = ++last_id_;
  open_.insert(id);
  ++books_.requests;
  if (!wire_.send(request(id, method, params))) books_.broke("8: the daemon hung up before " + method);
  return id;
}

void AccountedWire::cancel(int id) {
  wire_.send(json{{"jsonrpc", "2.0"}, {"method", "$/cancel"}, {"params", {{"id", id}}}}.dump() + "\n");
}

bool AccountedWire::take_one() {
  auto line = wire_.read(kPatience);
  if (line.is_discarded()) return false;
  if (line.contains("method")) return true;
  const auto id = line.value("id", json());
  if (!id.is_number_integer() || open_.erase(id.get<int>()) == 0) {
    books_.broke("8: nobody asked for this answer, or it is the second: " + line.dump());
    return true;
  }
  ++books_.answers;
  answers_[id.get<int>()] = std::move(line);
  return true;
}

json AccountedWire::answer(int id) {
  while (!answers_.contains(id)) {
    if (!take_one()) {
      books_.broke("8: request " + std::to_string(id) + " has no answer");
      open_.erase(id);
      return nullptr;
    }
  }
  auto found = std::move(answers_.at(id));
  answers_.erase(id);
  return found;
}

void AccountedWire::settle() {
  while (!open_.empty()) (void)answer(*open_.begin());
  // Answers are written in their order: a second one to something would have come before this.
  (void)answer(ask("ping"));
}

void AccountedWire::expect_end() {
  if (!open_.empty()) books_.broke("8: " + std::to_string(open_.size()) + " requests are still open");
  if (!wire_.at_end(kPatience)) books_.broke("8: a half-closed connection without a stake is still open");
}

}  // namespace wtpool::test
