#include "tests/support/wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace wtpool::test {

Wire::Wire(const fs::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = socket.string();
  if (name.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
  std::copy(name.begin(), name.end(), address.sun_path);
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("nobody accepts on " + name);
  }
}

Wire::~Wire() { ::close(fd_); }

bool Wire::send(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

void Wire::half_close() { ::shutdown(fd_, SHUT_WR); }

bool Wire::fill(std::chrono::milliseconds deadline) {
  pollfd wanted{fd_, POLLIN, 0};
  if (::poll(&wanted, 1, static_cast<int>(deadline.count())) <= 0) return false;
  char bytes[65536];
  const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> Wire::read_line(std::chrono::milliseconds deadline) {
  auto end = buffer_.find('\n');
  while (end == std::string::npos) {
    if (!fill(deadline)) return std::nullopt;
    end = buffer_.find('\n');
  }
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

nlohmann::json Wire::read(std::chrono::milliseconds deadline) {
  return nlohmann::json::parse(read_line(deadline).value_or(""), nullptr, false);
}

nlohmann::json Wire::call(const std::string& method, const nlohmann::json& params) {
  const int id = next_id_++;
  send(request(id, method, params));
  for (;;) {
    auto answer = read(60s);
    if (answer.is_discarded() || (answer.is_object() && answer.value("id", nlohmann::json()) == id)) return answer;
  }
}

bool Wire::at_end(std::chrono::milliseconds deadline) {
  pollfd wanted{fd_, POLLIN, 0};
  if (!buffer_.empty() || ::poll(&wanted, 1, static_cast<int>(deadline.count())) <= 0) return false;
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

std::string request(int id, const std::string& method, const nlohmann::json& params) {
  return nlohmann::json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump() + "\n";
}

}  // namespace wtpool::test
