#include "client/run/candidate_test.hpp"

#include <cstring>

#include "client/daemon/start.hpp"
#include "client/run/session.hpp"
#include "common/platform/process.hpp"

namespace wtpool::client {
namespace {

constexpr const char* kToStderr = "exec \"$@\" >&2";

std::vector<std::string> in_another_slot(const proto::CandidateNote& candidate, const std::string& command,
                                         const Context& context, std::chrono::milliseconds wait) {
  std::vector<std::string> argv = {platform::own_executable().string(), "--pool", candidate.pool};
  if (context.globals.socket) argv.insert(argv.end(), {"--socket", *context.globals.socket});
  argv.insert(argv.end(), {"run", "land/" + candidate.land_id, "--commit", candidate.candidate,
                           "--wait=" + std::to_string(wait.count()) + "ms", "--", "sh", "-c", command});
  return argv;
}

}  // namespace

CandidateTest::CandidateTest(const proto::CandidateNote& candidate, const std::string& command, const Context& context,
                             const Interrupts& signals, std::chrono::milliseconds wait)
    : candidate_(candidate), elsewhere_(!candidate.path) {
  CommandLine line;
  line.argv = {"sh", "-c", kToStderr, "sh"};
  const std::vector<std::string> test =
      elsewhere_ ? in_another_slot(candidate, command, context, wait) : std::vector<std::string>{"sh", "-c", command};
  line.argv.insert(line.argv.end(), test.begin(), test.end());
  line.environment = own_environment();
  line.environment.push_back("WTPOOL_CANDIDATE=" + candidate.candidate);
  line.directory = candidate.path.value_or("/");
  child_ = std::make_unique<Child>(line, signals);
  if (const auto cannot = child_->let_go())
    throw proto::Error(proto::ErrorKind::io_error, std::string("cannot run the test: ") + std::strerror(cannot->error_number));
}

CandidateTest::~CandidateTest() {
  try {
    static_cast<void>(child_->finish(kGrace, [] { return false; }));
  } catch (const std::exception&) {
    child_.reset();  // which kills it
  }
}

std::optional<int> CandidateTest::ended() {
  while (const auto change = child_->change()) {
    if (change->kind == Child::Change::Kind::ended) return child_->finish(kGrace, [] { return false; });
  }
  return std::nullopt;
}

}  // namespace wtpool::client
