// A daemon that says what a test tells it to, on a real socket in a home of its own, and the client run against it inside
// this process.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "client/verbs/verbs.hpp"
#include "common/files/fd.hpp"
#include "proto/codec/codec.hpp"

namespace wtpool::client::testing {

// An empty home, and no variable that would lead out of it.
class Home {
 public:
  Home() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string name = "/tmp/wtpool-client-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    path = name;
    for (const char* variable : {"WTPOOL_SOCKET", "WTPOOL_POOL", "WORKTREE_ROOT", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
                                 "XDG_CONFIG_HOME", "XDG_DATA_HOME"}) {
      ::unsetenv(variable);
    }
    ::setenv("HOME", path.c_str(), 1);
    ::setenv("WTPOOL_NO_SPAWN", "1", 1);
    ::mkdir((path / ".wtpool").c_str(), 0700);
    socket = path / ".wtpool/wtpoold.sock";
  }
  ~Home() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  std::filesystem::path path;
  std::filesystem::path socket;
};

class Peer {
 public:
  explicit Peer(Fd fd) : fd_(std::move(fd)) {}

  std::optional<std::string> line() {  // nothing at the end of the stream, or after 10 s
    while (true) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return text;
      }
      struct pollfd ready = {fd_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 10'000) <= 0) return std::nullopt;
      char chunk[4096];
      const ssize_t n = ::read(fd_.get(), chunk, sizeof chunk);
      if (n <= 0) return std::nullopt;
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }
  std::optional<proto::ClientFrame> frame() {
    const auto text = line();
    if (!text) return std::nullopt;
    auto decoded = proto::decode_client_frame(*text);
    if (auto* good = std::get_if<proto::ClientFrame>(&decoded)) return std::move(*good);
    return std::nullopt;
  }
  template <class P>
  std::optional<P> request() {  // remembers the id for answer() and fail()
    auto got = frame();
    if (!got || !std::holds_alternative<proto::RequestFrame>(*got)) return std::nullopt;
    auto& request = std::get<proto::RequestFrame>(*got);
    id_ = request.id;
    // Before a release a client asks for hooks; there are none here.
    if (!std::is_same_v<P, proto::HooksGetParams> && std::holds_alternative<proto::HooksGetParams>(request.params)) {
      answer(proto::HooksResult{});
      return this->request<P>();
    }
    if (auto* params = std::get_if<P>(&request.params)) return std::move(*params);
    return std::nullopt;
  }
  void raw(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(fd_.get(), text.data(), text.size());
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void answer(const proto::Result& result) { raw(proto::encode_answer(id_, result) + "\n"); }
  void fail(const proto::Error& error) { raw(proto::encode_answer(id_, error) + "\n"); }
  void note(const proto::Notification& notification) { raw(proto::encode_notification(notification) + "\n"); }
  void greet() {
    if (request<proto::HelloParams>()) answer(proto::HelloResult{});
  }
  [[nodiscard]] std::int64_t id() const { return std::get<std::int64_t>(id_); }
  void hang_up() { fd_.reset(); }
  bool saw_end() { return !line(); }

 private:
  Fd fd_;
  std::string buffer_;
  proto::WireId id_;
};

class FakeDaemon {
 public:
  using Script = std::function<void(Peer&)>;
  // `script` is run for the first connection; the connection is closed when it returns.
  FakeDaemon(const std::filesystem::path& socket, Script script) : FakeDaemon(socket, std::vector<Script>{std::move(script)}) {}
  // One script a connection, one after the other.
  FakeDaemon(const std::filesystem::path& socket, std::vector<Script> scripts) {
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 16) != 0) {
      throw std::runtime_error("cannot listen at " + socket.string());
    }
    thread_ = std::thread([this, scripts = std::move(scripts)] {
      for (const Script& script : scripts) {
        struct pollfd ready = {listener_.get(), POLLIN, 0};
        if (::poll(&ready, 1, 10'000) <= 0) return;
        Fd accepted(::accept(listener_.get(), nullptr, nullptr));
        ::fcntl(accepted.get(), F_SETFD, FD_CLOEXEC);  // a command that `run` starts would keep it open
        Peer peer(std::move(accepted));
        script(peer);
      }
    });
  }
  ~FakeDaemon() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  Fd listener_;
  std::thread thread_;
};

struct Ran {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  [[nodiscard]] bool has_data() const {
    struct pollfd ready = {read.get(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) != 0;
  }
  std::string drain() {  // what was written, up to the size of a pipe
    write.reset();
    std::string text;
    char chunk[4096];
    for (ssize_t n; (n = ::read(read.get(), chunk, sizeof chunk)) > 0;) text.append(chunk, static_cast<std::size_t>(n));
    return text;
  }
  Fd read;
  Fd write;
};

inline Ran wtpool(std::vector<const char*> args, Pipe out = {}) {
  Pipe err;
  args.insert(args.begin(), "wtpool");
  Ran ran;
  ran.exit_code = run(args, {out.write.get(), err.write.get()});
  ran.out = out.drain();
  ran.err = err.drain();
  return ran;
}

}  // namespace wtpool::client::testing
