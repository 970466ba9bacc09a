// mcp: a server of the Model Context Protocol on stdin and stdout. Each tool is a verb of this program, run in a child of its
// own, so that several go at the same time and one is cancelled by the signal that a person would send.
#include "proto/codec/mcp.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iterator>
#include <list>

#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/files/fd.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;
using proto::McpRequest;
using Words = std::vector<std::string>;

constexpr std::size_t kLongestLine = std::size_t{1} << 20;
constexpr std::size_t kLongestResult = std::size_t{16} << 20;
constexpr char kFailed = 'E';  // the first byte of what a child hands over
constexpr char kDone = 'R';

// The verb behind a tool.
Words words_of(const McpRequest& request, const Globals& globals) {
  Words words = {"wtpool", "-q", "--json"};
  const auto add = [&words](const char* option, const std::optional<std::string>& value) {
    if (value) words.push_back(std::string(option) + "=" + *value);
  };
  const auto& given = request.arguments;
  add("--pool", given.pool ? given.pool : globals.pool);
  add("--socket", globals.socket);
  const auto verb = [&words](Words more) { words.insert(words.end(), more.begin(), more.end()); };
  if (request.tool == "acquire_worktree") {
    verb({"acquire"});
    add("--commit", given.commit);
    add("--wait", given.wait);
    verb({"--", *given.name});
  } else if (request.tool == "release_worktree") {
    verb({"release", "--", *given.name});
  } else if (request.tool == "list_worktrees") {
    verb({"ls", "--git-status"});
  } else if (request.tool == "diff_worktree") {
    verb({"diff", *given.name});
  } else if (request.tool == "land_worktree") {
    verb({"land"});
    add("--into", given.into);
    add("--style", given.style);
    if (given.message) verb({"-m", *given.message});
    verb({"--", *given.name});
  } else {
    verb({"trash", "restore", "--", *given.id});
  }
  return words;
}

bool parses(const Words& words) {
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  return std::holds_alternative<Parsed>(parse_options(arguments));
}

struct Tool {
  McpRequest request;
  pid_t pid = -1;
  Fd output;
  std::string text;
};

// In the child: the verb's result or its error goes to the pipe, and the child ends.
[[noreturn]] void run_verb(const Words& words, int pipe) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, 0);
  ::dup2(nothing, 2);
  const bool written = ::write(pipe, &kDone, 1) == 1;
  ::dup2(pipe, 1);
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  std::optional<Error> error;
  const int code = run(arguments, {1, nothing, &error});
  if (!written || (code == 0 && !error)) ::_exit(0);
  if (!error) error = Error(ErrorKind::invalid_params, "the arguments cannot be used");
  const auto text = "\n" + std::string(1, kFailed) + proto::pack_error(*error);
  for (std::size_t done = 0; done < text.size();) {
    const auto n = ::write(1, text.data() + done, text.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  ::_exit(1);
}

class Server {
 public:
  explicit Server(Context& context) : context_(context), can_land_(parses({"wtpool", "land", "x"})) {}

  int serve() {
    while (open_ || !tools_.empty()) {
      std::vector<struct pollfd> ready;
      ready.push_back({open_ ? 0 : -1, POLLIN, 0});
      for (const Tool& tool : tools_) ready.push_back({tool.output.get(), POLLIN, 0});
      if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return 1;
      std::size_t at = 1;
      for (auto tool = tools_.begin(); tool != tools_.end(); ++at) {
        const auto next = std::next(tool);
        if (ready[at].revents != 0) read_from(tool);
        tool = next;
      }
      if (ready[0].revents != 0) read_requests();
    }
    return lost_ ? 1 : 0;
  }

 private:
  using Running = std::list<Tool>::iterator;

  void say(const std::string& line) {
    if (!context_.output.result(line + "\n")) lost_ = true;
  }

  void read_requests() {
    char buffer[65536];
    const auto n = ::read(0, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
      open_ = false;  // what runs is still answered
      return;
    }
    unread_.append(buffer, static_cast<std::size_t>(n));
    for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
      auto line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) take(line);
    }
    if (unread_.size() > kLongestLine) open_ = false;
  }

  void take(const std::string& line) {
    const auto read = proto::read_mcp(line);
    if (const auto* refusal = std::get_if<std::string>(&read)) return say(*refusal);
    const auto& request = std::get<McpRequest>(read);
    if (std::holds_alternative<std::monostate>(request.id)) {
      if (request.method == "notifications/cancelled") cancel(request.cancels);
      return;
    }
    if (const auto refusal = proto::refuse_mcp(request, can_land_)) return say(*refusal);
    if (request.method == "initialize") return say(proto::mcp_initialized(request, WTPOOL_VERSION));
    if (request.method == "server/discover") return say(proto::mcp_discovered(request, WTPOOL_VERSION));
    if (request.method == "ping") return say(proto::mcp_pong(request));
    if (request.method == "tools/list") return say(proto::mcp_tools(request, can_land_));
    if (request.method == "tools/call") return start(request);
    say(proto::mcp_no_such_method(request));
  }

  void start(const McpRequest& request) {
    int ends[2];
    if (::pipe(ends) != 0) return say(proto::mcp_failure(request, Error(ErrorKind::io_error, "cannot make a pipe")));
    Tool tool;
    tool.request = request;
    tool.output = Fd(ends[0]);
    const Fd theirs(ends[1]);
    ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    const auto words = words_of(request, context_.globals);
    tool.pid = ::fork();
    if (tool.pid == 0) run_verb(words, ends[1]);
    if (tool.pid < 0) return say(proto::mcp_failure(request, Error(ErrorKind::io_error, "cannot start the tool")));
    tools_.push_back(std::move(tool));
  }

  // The answer is left out, as the protocol has it; what the tool had begun is taken back.
  void cancel(const proto::WireId& id) {
    for (Tool& tool : tools_) {
      if (tool.request.id != id) continue;
      ::kill(tool.pid, SIGINT);
      cancelled_.push_back(tool.pid);
    }
  }

  void read_from(Running tool) {
    char buffer[65536];
    const auto n = ::read(tool->output.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n > 0) {
      tool->text.append(buffer, static_cast<std::size_t>(n));
      if (tool->text.size() > kLongestResult) ::kill(tool->pid, SIGTERM);
      return;
    }
    int status = 0;
    ::waitpid(tool->pid, &status, 0);
    if (std::erase(cancelled_, tool->pid) == 0) say(answer_of(*tool, status));
    tools_.erase(tool);
  }

  static std::string answer_of(const Tool& tool, int status) {
    const auto& text = tool.text;
    const auto failed = text.rfind(std::string("\n") + kFailed);
    const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0 && text.starts_with(kDone);
    if (!well && failed == std::string::npos) return proto::mcp_failure(tool.request, proto::unpack_error({}));
    if (!well) return proto::mcp_failure(tool.request, proto::unpack_error(std::string_view(text).substr(failed + 2)));
    const auto result = std::string_view(text).substr(1);
    if (tool.request.tool == "diff_worktree") return proto::mcp_text_result(tool.request, "diff", result);
    return proto::mcp_result(tool.request, result);
  }

  Context& context_;
  bool can_land_;
  bool open_ = true;
  bool lost_ = false;
  std::string unread_;
  std::list<Tool> tools_;
  std::vector<pid_t> cancelled_;
};

}  // namespace

int run_command(const McpCommand&, Context& context) { return Server(context).serve(); }

}  // namespace wtpool::client
