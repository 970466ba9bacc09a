// Sources over git's own protocol and over HTTP, from servers that the test starts.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

bool listens(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

// `git http-backend` behind a web server of a few lines. Everything below /private/ wants a password.
constexpr const char* kWebServer = R"(
import http.server, os, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def log_message(self, *arguments): pass
    def serve(self):
        path, _, query = self.path.partition("?")
        if path.startswith("/private/"):
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=git")
            self.end_headers()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = dict(os.environ, GIT_PROJECT_ROOT=sys.argv[2], GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                           REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type") or "",
                           CONTENT_LENGTH=str(len(body)), HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding") or "",
                           GIT_PROTOCOL=self.headers.get("Git-Protocol") or "", REMOTE_ADDR="127.0.0.1")
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
        head, _, rest = answer.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        status = [value for name, _, value in lines if name == "Status"]
        self.send_response(int(status[0].split()[0]) if status else 200)
        for name, _, value in lines:
            if name != "Status": self.send_header(name, value)
        self.end_headers()
        self.wfile.write(rest)
    do_GET = do_POST = serve
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
)";

class Transports : public ::testing::Test {
 protected:
  Transports() : repo(world.make_repo("work")), port(free_port()) {
    fs::create_directories(world.dir() / "served");
    remote = Repo::make_bare(world.dir() / "served/app.git", repo);
    repo.git({"remote", "add", "origin", remote->path().string()});
    world.start_daemon();
  }
  void serve(std::vector<std::string> argv) {
    server.emplace(Command{std::move(argv), git_environment()});
    ASSERT_TRUE(wait_until([&] { return listens(port); })) << server->err_so_far();
  }
  void serve_git() {
    serve({"git", "daemon", "--listen=127.0.0.1", "--port=" + std::to_string(port), "--reuseaddr", "--export-all",
           "--base-path=" + (world.dir() / "served").string()});
  }
  void serve_http() {
    write_text(world.dir() / "server.py", kWebServer);
    serve({"python3", (world.dir() / "server.py").string(), std::to_string(port), (world.dir() / "served").string()});
  }
  std::string url(const std::string& scheme, const std::string& path = "/app.git") const {
    return scheme + "://127.0.0.1:" + std::to_string(port) + path;
  }
  // A pool of the URL serves what is there, and what is pushed later.
  void expect_served(const std::string& from) const {
    const auto made = world.wtpool({"init", "--source", from});
    ASSERT_EQ(made.code, 0) << made;
    EXPECT_EQ(git(world.acquire("known"), {"rev-parse", "HEAD"}), repo.head());
    const auto pushed = repo.commit("new.txt", "new");
    repo.git({"push", "-q", "origin", "HEAD:refs/heads/topic"});
    EXPECT_EQ(git(world.acquire("by-name", {"--commit", "topic"}), {"rev-parse", "HEAD"}), pushed);
    const auto next = repo.commit("new.txt", "newer");
    repo.git({"push", "-q", "origin", "HEAD:refs/heads/topic"});
    EXPECT_EQ(git(world.acquire("by-id", {"--commit", next}), {"rev-parse", "HEAD"}), next);
  }

  World world;
  Repo repo;
  int port;
  std::optional<Repo> remote;
  std::optional<Process> server;
};

TEST_F(Transports, GitsOwnIsServed) {
  serve_git();
  expect_served(url("git"));
}

TEST_F(Transports, HttpIsServed) {
  serve_http();
  expect_served(url("http"));
}

TEST_F(Transports, ARefusedPasswordIsSaidWithoutIt) {
  serve_http();
  const auto outcome = world.wtpool({"init", "--source", url("http", "/private/app.git")});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("cannot fetch from http://127.0.0.1"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("could not read Username"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("hint: git ls-remote"), std::string::npos) << outcome;
}

TEST_F(Transports, ARepositoryThatIsNotThereIsSaid) {
  serve_http();
  const auto outcome = world.wtpool({"init", "--source", url("http", "/nowhere.git")});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find("not found"), std::string::npos) << outcome;
}

}  // namespace
}  // namespace wtpool::test
