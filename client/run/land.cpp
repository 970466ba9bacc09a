// land: commits what is to be committed, gets in line, tests each candidate that the daemon names, says what has landed.
#include <poll.h>

#include <array>
#include <memory>

#include "client/daemon/start.hpp"
#include "client/run/candidate_test.hpp"
#include "client/run/session.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr std::chrono::minutes kPatience{30};
constexpr std::initializer_list<int> kLandSignals = {SIGCHLD};

proto::Target target_of(const LandCommand& command) {
  return command.target ? client::target_of(*command.target) : proto::Target{};
}

int run_git(const std::vector<std::string>& arguments, const std::string& directory) {
  Interrupts signals(kLandSignals);
  CommandLine line;
  line.argv = {"sh", "-c", "exec git \"$@\" >&2", "git"};
  line.argv.insert(line.argv.end(), arguments.begin(), arguments.end());
  line.environment = own_environment();
  line.directory = directory;
  Child child(line, signals);
  if (child.let_go()) throw Error(ErrorKind::io_error, "cannot run git in " + directory);
  while (true) {
    while (const auto change = child.change())
      if (change->kind == Child::Change::Kind::ended) return child.finish(kGrace, [] { return false; });
    struct pollfd ready = {signals.descriptor(), POLLIN, 0};
    ::poll(&ready, 1, -1);
    for (const int signal : signals.take())
      if (signal != SIGCHLD) child.signal(signal);
  }
}

// As the user, with git's own hooks: this is no daemon's business.
void commit_changes(const LandCommand& command, Connection& connection, Context& context) {
  proto::SlotInspectParams params;
  params.scope = context.scope();
  params.target = target_of(command);
  const auto slot = ask<proto::SlotInfo>(connection, context, params, kReportLimit);
  if (run_git({"diff-index", "--quiet", "HEAD", "--"}, slot.path) == 0) return;
  if (const int code = run_git({"commit", "-q", "-a", "-m", *command.message}, slot.path); code != 0)
    throw Error(ErrorKind::dirty, "cannot land: git commit in " + slot.path + " ended with " + std::to_string(code));
}

class Landing {
 public:
  Landing(const LandCommand& command, Connection& connection, Context& context)
      : command_(command), connection_(connection), context_(context), signals_(kLandSignals) {}

  Answer run() {
    proto::LandParams params;
    params.scope = context_.scope();
    params.target = target_of(command_);
    params.into = command_.into;
    params.style = command_.style;
    params.message = command_.message;
    if (command_.test) params.test = true;
    if (command_.no_test) params.test = false;
    params.stay = command_.stay;
    params.release = command_.release;
    params.push = command_.push;
    params.dry_run = command_.dry_run;
    if (command_.wait) params.wait_ms = command_.wait->count();
    params.progress = true;
    context_.output.begin_wait();
    const std::int64_t id = connection_.send(params);
    while (true) {
      if (auto answer = connection_.next_answer(id, context_.output)) {
        test_.reset();
        context_.output.end_wait();
        answer->cancel_asked = cancelled_;
        return std::move(*answer);
      }
      while (const auto candidate = connection_.next_candidate()) start(*candidate);
      report();
      context_.output.show_progress();
      wait(id);
    }
  }

  [[nodiscard]] bool found_no_slot() const { return no_slot_; }
  [[nodiscard]] const Interrupts& signals() const { return signals_; }

 private:
  void start(const proto::CandidateNote& candidate) {
    test_.reset();
    const std::string command = command_.test ? *command_.test : candidate.test.value_or("");
    context_.output.end_wait();
    context_.output.say("testing " + candidate.candidate.substr(0, 12) + " of " + candidate.name + " for " + candidate.target +
                        (candidate.position == 0 ? "" : ", " + std::to_string(candidate.position) + " before it"));
    test_ = std::make_unique<CandidateTest>(candidate, command, context_, signals_,
                                            command_.wait.value_or(std::chrono::milliseconds(kPatience)));
  }

  void report() {
    const auto code = test_ ? test_->ended() : std::nullopt;
    if (!code) return;
    no_slot_ = test_->found_no_slot(*code);
    proto::LandTestedParams tested;
    tested.land_id = test_->candidate().land_id;
    tested.candidate = test_->candidate().candidate;
    tested.passed = *code == 0;
    if (*code != 0) tested.why = no_slot_ ? "there is no slot to test it in" : "the test ended with " + std::to_string(*code);
    test_.reset();
    static_cast<void>(connection_.send(tested));
  }

  void wait(std::int64_t id) {
    std::array<struct pollfd, 2> ready = {{{connection_.descriptor(), POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}}};
    int limit = -1;
    if (const auto due = context_.output.due()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - std::chrono::steady_clock::now());
      limit = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    ::poll(ready.data(), ready.size(), limit);
    signals_.drain();
    if (signals_.count() > 1) throw Interrupted{signals_.last()};
    if (signals_.count() == 1 && !cancelled_) {
      cancelled_ = true;
      test_.reset();
      connection_.cancel(id);
    }
    if (ready[0].revents != 0) connection_.receive();
  }

  const LandCommand& command_;
  Connection& connection_;
  Context& context_;
  Interrupts signals_;
  std::unique_ptr<CandidateTest> test_;
  bool cancelled_ = false;
  bool no_slot_ = false;
};

void say_what_landed(const proto::LandResult& landed, bool dry_run, Context& context) {
  if (landed.before == landed.after) return;  // the daemon has said so
  const std::string commits = std::to_string(landed.commits) + (landed.commits == 1 ? " commit" : " commits");
  context.output.say(landed.name + (dry_run ? " would land on " : " landed on ") + landed.target +
                     (landed.pushed ? ", pushed: " : ": ") + commits + ", " + landed.before.substr(0, 12) + ".." +
                     landed.after.substr(0, 12));
  for (const auto& checkout : landed.checkouts)
    if (!checkout.synced) context.output.warn(checkout.path + (dry_run ? " is in the way" : " does not stand at it yet"));
}

}  // namespace

int run_command(const LandCommand& command, Context& context) {
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  if (command.message && !command.dry_run) commit_changes(command, opened.connection, context);
  Landing landing(command, opened.connection, context);
  const Answer answer = landing.run();
  if (answer.error && landing.found_no_slot()) {
    Error error = *answer.error;
    error.kind = ErrorKind::timed_out;
    throw error;
  }
  const auto landed = result_of<proto::LandResult>(answer, context, landing.signals());
  say_what_landed(landed, command.dry_run, context);
  if (!context.globals.json) return 0;
  return write_result(context, proto::to_json_text(landed) + "\n");
}

}  // namespace wtpool::client
