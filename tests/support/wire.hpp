// The daemon's socket as any program in any language sees it: bytes in, bytes out.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace wtpool::test {

class Wire {
 public:
  explicit Wire(const fs::path& socket);  // throws when nobody accepts
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool send(const std::string& bytes);  // false: the other end hung up
  void half_close();
  // Next line without its newline; nothing at the end of the stream or at the deadline.
  std::optional<std::string> read_line(std::chrono::milliseconds deadline = 20s);
  // Next line as JSON; discarded() when there is none.
  nlohmann::json read(std::chrono::milliseconds deadline = 20s);
  // Sends one request and returns the answer to it; notifications before it are skipped.
  nlohmann::json call(const std::string& method, const nlohmann::json& params = nlohmann::json::object());
  [[nodiscard]] bool at_end(std::chrono::milliseconds deadline = 20s);  // the other end closed, and nothing is left to read

 private:
  bool fill(std::chrono::milliseconds deadline);
  int fd_ = -1;
  int next_id_ = 1;
  std::string buffer_;
};

std::string request(int id, const std::string& method, const nlohmann::json& params = nlohmann::json::object());

}  // namespace wtpool::test
