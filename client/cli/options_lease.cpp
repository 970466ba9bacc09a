// Options of the verbs that change who holds what.
#include <limits>

#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"

namespace wtpool::client::cli {

std::string nothing(const std::string& text) { return text.empty() ? "nothing is named by it" : std::string{}; }

std::string bad_duration(const std::string& text) {
  return parse_duration(text) ? std::string{} : "'" + text + "' is no time: a number with ms, s, m, h or d, such as 10m";
}

std::string bad_ttl(const std::string& text) {
  const auto ttl = parse_duration(text);
  return ttl && ttl->count() == 0 ? "a lease lasts longer than nothing" : bad_duration(text);
}

void add_ttl(CLI::App& verb, std::optional<std::chrono::seconds>& ttl, const std::string& does) {
  const auto set = [&ttl](const std::string& text) { ttl = std::chrono::ceil<std::chrono::seconds>(*parse_duration(text)); };
  verb.add_option_function<std::string>("--ttl", set, does)->type_name("DUR")->check(bad_ttl);
}

void add_wait(CLI::App* verb, AcquireCommand* acquire) {
  // A flag, whose value comes with `=` or not at all: `--wait NAME` is no time to wait.
  auto said = std::make_shared<std::string>();
  verb->add_flag("--wait{" + std::string(kForever) + "}", *said, "Queue for a slot, for DUR at most [without an end]")
      ->type_name("[=DUR]")
      ->check([](const std::string& text) { return text == kForever ? std::string{} : bad_duration(text); })
      ->each([acquire, said](const std::string& text) {
        acquire->wait = text == kForever ? std::chrono::milliseconds(0) : parse_duration(text);
        // not to queue is what an acquire does by itself
        if (text != kForever && acquire->wait->count() == 0) acquire->wait.reset();
      });
}

CLI::Option* add_name(CLI::App* verb, AcquireCommand* acquire) {
  return verb->add_option("NAME", acquire->name, "What this use is called, and its branch");
}

void add_acquire_flags(CLI::App* verb, AcquireCommand* acquire) {
  verb->add_option("--commit", acquire->commit, "What to check out")->check([](const std::string& text) {
    return text.empty() ? std::string("no commit is named by nothing") : std::string{};
  });
  verb->add_option("--group", acquire->group, "The group of slots");
  verb->add_option("--key", acquire->key, "The same key gives the same lease back");
  verb->add_flag("--verify", acquire->verify, "Have git look at the slot's files though it is sealed");
  verb->add_flag("--frozen-only", acquire->frozen_only, "Every dep of the pool must be in the store, or exit 17");
  verb->add_flag("--fetch", acquire->fetch, "Fetch the source first, whatever the pool's config says");
  verb->add_flag("--unique-sha", acquire->unique_sha, "Refuse when a held slot is at that commit");
  verb->add_option("--exclude-submodule-tags", acquire->exclude_submodule_tags, "Leave submodules with one of these tags out")
      ->type_name("TAG,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  CLI::Option* resume = verb->add_flag("--resume", acquire->resume, "Go on with a branch that exists, at its tip");
  CLI::Option* replace = verb->add_flag("--replace", acquire->replace, "Make the branch anew; its tip goes to the trash");
  resume->excludes(replace);
  verb->add_flag("--reuse", acquire->reuse, "A NAME that is held gives its slot again; a branch that exists is gone on with")
      ->excludes(replace);
  verb->add_flag("!--no-hooks", acquire->hooks, "Run no hooks of the pool or the repository");
  add_wait(verb, acquire);
  add_ttl(*verb, acquire->ttl, "The lease ends after that [the pool's ttl]");
}

namespace {

void add_acquire(CLI::App& app, Command& chosen) {
  auto [verb, acquire] = add_verb<AcquireCommand>(app, chosen, "acquire", "Take a slot; prints its path");
  add_name(verb, acquire)->required();
  add_acquire_flags(verb, acquire);
  verb->add_flag("--env", acquire->env, "Print WTPOOL_PATH=..., WTPOOL_LEASE=... and the rest, for: eval \"$(...)\"");
  verb->add_option("--owner-pid", acquire->owner_pid, "The lease ends when this process does")
      ->type_name("PID")
      ->check(CLI::Range(2, std::numeric_limits<std::int32_t>::max()));
}

void add_run(CLI::App& app, Command& chosen) {
  auto [verb, run] = add_verb<RunCommand>(app, chosen, "run", "Run a command in a slot: wtpool run NAME ... -- CMD ...");
  RunCommand* given = run;
  add_name(verb, &run->acquire);
  add_acquire_flags(verb, &run->acquire);
  verb->add_option_function<std::string>(
          "--timeout", [given](const std::string& text) { given->timeout = parse_duration(text); },
          "End CMD after that; the exit code is 124 then")
      ->type_name("DUR")
      ->check(bad_ttl);
  verb->add_flag_callback(
      "--stats", [given] { given->stats = true; }, "Say at the end how long it waited and ran, and what was reused");
  verb->add_option("--stats-file", run->stats_file, "Write the same as JSON to this file")->check(nothing);
  verb->footer(
      "CMD runs in the slot, with WTPOOL_POOL, WTPOOL_SLOT, WTPOOL_PATH, WTPOOL_NAME, WTPOOL_LEASE, WTPOOL_SOCKET,\n"
      "WTPOOL_FRESH and WTPOOL_PORT_BASE in its environment. The exit code is CMD's own, 128+n when signal n ended it,\n"
      "126 or 127 when it cannot be run or found, 124 after --timeout, 125 when wtpool itself failed. Without NAME the lease "
      "is\n"
      "called run/<CMD>-<pid>.");
}

void add_renew(CLI::App& app, Command& chosen) {
  auto [verb, renew] = add_verb<RenewCommand>(app, chosen, "renew", "The time of a lease starts again");
  verb->add_option("NAME|SLOT", renew->target, "Which")->required();
  verb->add_option("--lease", renew->lease, "This lease, whatever it is called [$WTPOOL_LEASE]")->check(nothing);
  add_ttl(*verb, renew->ttl, "The time it has from now on [as before]");
}

void add_release(CLI::App& app, Command& chosen) {
  auto [verb, release] =
      add_verb<ReleaseCommand>(app, chosen, "release", "Give a slot back; without an argument, that of the current directory");
  ReleaseCommand* given = release;
  verb->add_option("NAME|SLOT", release->target, "Which");
  verb->add_option("--lease", release->lease, "Only if this lease holds it [$WTPOOL_LEASE]")->check(nothing);
  CLI::Option* discard = verb->add_flag_callback(
      "--discard", [given] { given->dirty = proto::Dirty::discard; }, "Drop what is not committed");
  CLI::Option* refuse = verb->add_flag_callback(
      "--refuse-dirty", [given] { given->dirty = proto::Dirty::refuse; }, "Do nothing if there is such work (exit 11)");
  discard->excludes(refuse);
  verb->add_flag("--keep-branch", release->keep_branch, "Leave the branch at its tip; one that was resumed stays anyway");
  verb->add_flag("--delete-remote", release->delete_remote, "Delete the branch at the remote as well");
  verb->add_flag("--wait", release->wait, "Wait until the slot is clean; says where work was kept");
}

}  // namespace

void add_lease_verbs(CLI::App& app, Command& chosen) {
  add_acquire(app, chosen);
  add_release(app, chosen);
  add_run(app, chosen);
  add_renew(app, chosen);
}

}  // namespace wtpool::client::cli
