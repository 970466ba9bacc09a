#include "client/run/lease_keeper.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "common/platform/process.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;
using std::chrono::steady_clock;

constexpr int kLosses = 3;  // of the daemon within one release

bool ends_a_lease(const std::string& type) { return type == "released" || type == "expired" || type == "rolled_back"; }

// What a daemon says that is on its way out or not ready yet, or nobody does: another try may fare better.
bool passes(const Error& error) { return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::shutting_down; }

}  // namespace

Holding::Holding(Opened opened, proto::AcquireResult lease, Context& context, Interrupts& interrupts)
    : opened_(std::move(opened)), lease_(std::move(lease)), context_(context), interrupts_(interrupts) {}

template <class R>
R Holding::call(const proto::Params& params) {
  const Answer answer = opened_->connection.call(params, {context_.output, interrupts_, OnSignal::finish, kReportLimit});
  if (answer.error) throw *answer.error;
  return proto::decode_result<R>(answer.result);
}

void Holding::subscribe() {
  proto::SubscribeParams params;
  params.scope.pool = lease_.pool;
  const auto slots = call<proto::SlotListResult>(params).slots;
  const bool held = std::ranges::any_of(
      slots, [this](const proto::SlotInfo& slot) { return slot.lease && slot.lease->id == lease_.lease_id; });
  if (!held) throw Error(ErrorKind::lease_lost, "cannot hold '" + lease_.name + "': the lease is over");
}

void Holding::confirm(std::int64_t group) {
  group_ = group;
  proto::ConfirmParams params;
  params.lease_id = lease_.lease_id;
  params.process_group = group;
  static_cast<void>(call<proto::EmptyResult>(params));
  try {
    subscribe();
  } catch (const Error& error) {
    if (!passes(error)) throw;
    lost_because_ = error.message;
    lose();
  }
}

std::optional<std::string> Holding::attach(bool keep) {
  proto::ConfirmParams confirm;
  confirm.lease_id = lease_.lease_id;
  static_cast<void>(call<proto::EmptyResult>(confirm));
  proto::AttachParams params;
  params.scope.pool = lease_.pool;
  params.target.lease_id = lease_.lease_id;
  params.keep = keep;
  const auto session = call<proto::AttachResult>(params).session;
  attached_ = params;
  subscribe();
  return session;
}

int Holding::descriptor() const { return opened_ ? opened_->connection.descriptor() : -1; }

void Holding::lose() {
  opened_.reset();
  back_until_ = steady_clock::now() + kComeBack;
  try_at_ = {};
}

std::optional<std::string> Holding::read_news() {
  while (const auto event = opened_->connection.next_event()) {
    if (event->lease_id != lease_.lease_id || !ends_a_lease(event->type)) continue;
    if (attached_) gone_ = true;  // somebody released it; what runs in it is its user's
    return "the lease was " + (event->type == "rolled_back" ? "rolled back" : event->type) +
           (event->message ? ": " + *event->message : std::string{});
  }
  return std::nullopt;
}

std::optional<std::string> Holding::come_back() {
  if (gone_ && attached_) return std::nullopt;
  if (steady_clock::now() < try_at_) return std::nullopt;
  try {
    opened_ = open_at_once(context_.globals, context_.paths);
    if (opened_) {
      subscribe();  // first: once the lease is ours again, it ends with the connection
      if (attached_) {
        static_cast<void>(call<proto::AttachResult>(*attached_));
        return std::nullopt;
      }
      proto::ResumeParams params;
      params.lease_id = lease_.lease_id;
      params.process_group = group_;
      static_cast<void>(call<proto::EmptyResult>(params));
      return std::nullopt;
    }
  } catch (const Error& error) {
    opened_.reset();
    lost_because_ = error.message;
    gone_ = error.kind == ErrorKind::lease_lost;
    if (!passes(error)) try_at_ = steady_clock::now() + kTryLater;
    if (gone_ && attached_) return std::nullopt;
    if (gone_) return error.message;  // any other error: its pool cannot be read, or is not there, for now
  }
  if (attached_ || steady_clock::now() < back_until_) return std::nullopt;
  return "the daemon went away and did not come back" + (lost_because_.empty() ? "" : " (" + lost_because_ + ")");
}

std::optional<std::string> Holding::look(bool readable) {
  if (!opened_) return come_back();
  try {
    if (readable) opened_->connection.receive();
    auto over = read_news();
    if (!attached_ || !over) return over;
    context_.output.say(*over + "; what runs here goes on");
    opened_.reset();
    return std::nullopt;
  } catch (const Error& error) {
    lost_because_ = error.message;
    lose();
    return std::nullopt;
  }
}

void Holding::freeze(const proto::TemplateMakeParams& params) {
  if (!opened_) throw Error(ErrorKind::unreachable, "cannot freeze the slot: " + lost_because_);
  static_cast<void>(call<proto::TemplateInfo>(params));
}

std::optional<std::string> Holding::release() {
  proto::RenewParams renew;
  renew.scope.pool = lease_.pool;
  renew.target.lease_id = lease_.lease_id;
  proto::ReleaseParams release;
  release.scope.pool = lease_.pool;
  release.target.lease_id = lease_.lease_id;
  release.dirty = proto::Dirty::save;  // the lease ends because the command did, and nobody stands there to be refused
  release.caller_pids = platform::ancestors_of(::getpid());
  bool asked = false;
  const int before = interrupts_.count();
  for (int losses = 0;;) {
    while (!opened_) {
      if (const auto over = come_back()) {
        if (gone_ && asked) return std::nullopt;  // done, but its answer was lost
        if (gone_) return over;
        throw Error(ErrorKind::unreachable, "cannot release '" + lease_.name + "': " + *over);
      }
      if (opened_) break;
      struct pollfd signals = {interrupts_.descriptor(), POLLIN, 0};
      ::poll(&signals, 1, static_cast<int>(kTryAgain.count()));
      interrupts_.drain();
      if (interrupts_.count() > before) throw Interrupted{interrupts_.last()};
    }
    try {
      if (auto over = read_news()) return over;
      // A release joins one that is under way, and the command may have been ended by that one: only a lease that is nobody
      // else's to end can be renewed.
      static_cast<void>(call<proto::RenewResult>(renew));
      asked = true;
      const auto released = call<proto::ReleaseResult>(release);
      if (released.trash_id) context_.output.say("kept as " + *released.trash_id);
      return std::nullopt;
    } catch (const Error& error) {
      if (!asked && (error.kind == ErrorKind::lease_lost || error.kind == ErrorKind::not_held)) return "the lease is over";
      if (!passes(error) || ++losses > kLosses) throw;
      lost_because_ = error.message;
      lose();
    }
  }
}

}  // namespace wtpool::client
