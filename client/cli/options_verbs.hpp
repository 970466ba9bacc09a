// How verbs get their options: what the options_*.cpp files share, and the list of the groups of verbs. They and options.cpp
// alone see the library that reads the command line. A new group of verbs is a file of its own and a line in `add_verbs`.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client/cli/options.hpp"

namespace wtpool::client::cli {

// The value of `--wait` without a time.
inline constexpr std::string_view kForever = "forever";

// What a verb's options are written into lives as long as the verb: its callback owns it.
template <class C>
std::pair<CLI::App*, C*> add_verb(CLI::App& app, Command& chosen, const std::string& name, const std::string& does) {
  auto command = std::make_shared<C>();
  CLI::App* verb = app.add_subcommand(name, does);
  verb->callback([&chosen, command] { chosen = *command; });
  return {verb, command.get()};
}

// Checks of values: empty when `text` is right, else what is wrong with it.
[[nodiscard]] std::string nothing(const std::string& text);       // an empty value
[[nodiscard]] std::string bad_duration(const std::string& text);  // no time such as 10m
[[nodiscard]] std::string bad_ttl(const std::string& text);       // no time, or a time of nothing

void add_ttl(CLI::App& verb, std::optional<std::chrono::seconds>& ttl, const std::string& does);
CLI::Option* add_name(CLI::App* verb, AcquireCommand* acquire);
// Every flag that acquire shares with the verbs that take a slot themselves.
void add_acquire_flags(CLI::App* verb, AcquireCommand* acquire);
void add_wait(CLI::App* verb, AcquireCommand* acquire);

// One function a group of verbs.
void add_lease_verbs(CLI::App& app, Command& chosen);  // acquire release run renew
void add_land_verb(CLI::App& app, Command& chosen);
void add_report_verbs(CLI::App& app, Command& chosen);    // ls watch inspect path pools
void add_template_verbs(CLI::App& app, Command& chosen);  // prepare template
void add_trash_verbs(CLI::App& app, Command& chosen);
void add_store_verbs(CLI::App& app, Command& chosen);
void add_ci_verbs(CLI::App& app, Command& chosen);       // ci begin, ci end
void add_host_verbs(CLI::App& app, Command& chosen);     // init repair remove unstick validate-gitmodules status doctor daemon
void add_session_verbs(CLI::App& app, Command& chosen);  // go sweep hooks diff whoami orient agent mcp

void add_shell_verbs(CLI::App& app, Command& chosen);  // completion shell-init

struct Loud {
  bool quiet = false;
  bool verbose = false;
};
// The whole command line: the options of all verbs, and every verb. What it is read into must live as long as `app`.
void add_everything(CLI::App& app, Parsed& parsed, Loud& loud);

}  // namespace wtpool::client::cli
