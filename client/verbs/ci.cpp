// ci begin, ci end: the slot of a CI job, named and owned by what the system says of the job.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "client/verbs/acquire_request.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/ci_job.hpp"
#include "common/files/fd.hpp"
#include "common/platform/process.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

std::optional<std::string> variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

CiJob job_of(const std::optional<std::string>& said) {
  const auto system = said ? ci_system_from_text(*said) : ci_system(variable);
  if (!system) {
    throw Error(ErrorKind::invalid_params,
                "cannot tell which CI job this is: no variable of GitHub Actions, GitLab, Buildkite or Jenkins is set",
                "wtpool ci begin --for github --print");
  }
  return ci_job(*system, variable);
}

// The process that `owner` speaks of, among our ancestors; null when there is none, in a container say.
std::optional<std::int64_t> pid_of(const CiOwner& owner) {
  const std::vector<std::int64_t> line = platform::ancestors_of(::getpid());
  for (std::size_t at = 1; at < line.size(); ++at) {
    if (platform::program_of(line[at]) != owner.program) continue;
    if (!owner.child_of_it) return line[at];
    return at > 1 ? std::optional(line[at - 1]) : std::nullopt;
  }
  return std::nullopt;
}

// What to ask for when the id itself is nowhere: the branch as the remote has it, or the ref by its own name.
std::optional<std::string> commit_by_ref(const CiJob& job) {
  constexpr std::string_view kBranch = "refs/heads/";
  if (job.ref && job.ref->starts_with(kBranch)) return "refs/remotes/origin/" + job.ref->substr(kBranch.size());
  return job.ref;
}

AcquireCommand acquire_of(const CiBeginCommand& command, const CiJob& job) {
  AcquireCommand acquire = command.acquire;
  acquire.name = job.name;
  acquire.key = job.key;
  if (!acquire.commit) acquire.commit = job.commit ? job.commit : commit_by_ref(job);
  if (job.owner) acquire.owner_pid = pid_of(*job.owner);
  if (!acquire.owner_pid && !acquire.ttl) acquire.ttl = job.ttl;
  return acquire;
}

std::string described(const CiJob& job, const AcquireCommand& acquire) {
  std::string text = "system: " + std::string(to_text(job.system)) + "\n";
  if (job.url) text += "job: " + *job.url + "\n";
  text += "would run: wtpool acquire " + proto::shell_word(job.name) + " --key " + proto::shell_word(job.key);
  if (acquire.commit) text += " --commit " + proto::shell_word(*acquire.commit);
  if (acquire.group) text += " --group " + proto::shell_word(*acquire.group);
  if (acquire.owner_pid) text += " --owner-pid " + std::to_string(*acquire.owner_pid);
  if (acquire.ttl) text += " --ttl " + std::to_string(acquire.ttl->count()) + "s";
  return text + "\n";
}

// Appends to a file that the system named, one that exists already.
void append(const std::string& file, const std::string& text) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  std::string_view left = text;
  while (fd.valid() && !left.empty()) {
    const ssize_t n = ::write(fd.get(), left.data(), left.size());
    if (n > 0)
      left.remove_prefix(static_cast<std::size_t>(n));
    else if (n == 0 || errno != EINTR)
      break;
  }
  if (!left.empty()) throw Error(ErrorKind::io_error, "cannot write to " + file + ": " + std::strerror(errno));
}

std::string truth(bool value) { return value ? "true" : "false"; }

void tell_github(const CiJob& job, const proto::AcquireResult& lease) {
  if (const auto file = variable("GITHUB_OUTPUT")) {
    std::vector<std::pair<std::string, std::string>> outputs = {{"path", lease.path},
                                                                {"slot", lease.slot},
                                                                {"name", lease.name},
                                                                {"lease", lease.lease_id},
                                                                {"commit", lease.full_sha},
                                                                {"fresh", truth(lease.fresh)},
                                                                {"reused-commit", truth(lease.reused_commit)}};
    if (lease.port_base) outputs.emplace_back("port-base", std::to_string(*lease.port_base));
    append(*file, github_lines(outputs));
  }
  if (const auto file = variable("GITHUB_ENV")) append(*file, github_lines(ci_exports(job, lease)));
}

// By the id the job names; where no remote has that id, by the ref that had it.
proto::AcquireResult acquire_job(Connection& connection, const AcquireCommand& command, const CiJob& job, bool may_use_ref,
                                 Context& context, Interrupts& interrupts) {
  proto::AcquireParams params = acquire_params(command, context);
  params.ports = true;
  try {
    return acquire(connection, params, context, interrupts);
  } catch (const Error& error) {
    const auto ref = commit_by_ref(job);
    if (error.kind != ErrorKind::commit_unknown || !may_use_ref || !ref) throw;
    params.commit = ref;
  }
  auto lease = acquire(connection, params, context, interrupts);
  if (lease.full_sha != job.commit)
    context.output.warn("commit " + job.commit.value_or("") + " is nowhere any more; " + *params.commit + " is at " +
                        lease.full_sha);
  return lease;
}

}  // namespace

int run_command(const CiBeginCommand& command, Context& context) {
  const CiJob job = job_of(command.system);
  const AcquireCommand wanted = acquire_of(command, job);
  if (command.print) return write_result(context, described(job, wanted));

  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts interrupts;
  const auto lease =
      acquire_job(opened.connection, wanted, job, !command.acquire.commit && job.commit.has_value(), context, interrupts);
  if (job.system == CiSystem::github) tell_github(job, lease);
  const std::string text = context.globals.json ? proto::to_json_text(lease) + "\n"
                           : command.env        ? shell_exports(ci_exports(job, lease))
                                                : lease.path + "\n";
  if (const int failed = write_result(context, text)) return failed;  // unconfirmed, it is rolled back
  proto::ConfirmParams confirm;
  confirm.lease_id = lease.lease_id;
  const Answer confirmed = opened.connection.call(confirm, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (confirmed.error) throw *confirmed.error;
  return 0;
}

int run_command(const CiEndCommand& command, Context& context) {
  const CiJob job = job_of(command.system);
  proto::ReleaseParams params;
  params.scope = context.scope();
  const auto lease = variable("WTPOOL_LEASE");
  if (lease)
    params.target.lease_id = lease;
  else
    params.target.name = job.name;
  params.dirty = command.dirty;
  params.wait = true;
  params.progress = context.output.wants_progress();
  params.caller_pids = platform::ancestors_of(::getpid());
  if (command.print) {
    return write_result(context, "system: " + std::string(to_text(job.system)) + "\nwould run: wtpool release " +
                                     (lease ? "--lease " + proto::shell_word(*lease) : proto::shell_word(job.name)) +
                                     " --wait\n");
  }
  const auto released = ask<proto::ReleaseResult>(context, params);
  if (released.already) context.output.say("already released: the job holds no slot");
  if (released.trash_id) context.output.say("kept as " + *released.trash_id + " (wtpool trash restore makes a branch of it)");
  return 0;
}

}  // namespace wtpool::client
