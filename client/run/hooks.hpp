// Hooks, which the client runs as the user: those of the pool's config, then those of the repository, once they are approved.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "client/daemon/connection.hpp"
#include "client/run/trust.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

// Those of a slot's commit.
[[nodiscard]] proto::HooksResult hooks_of(Connection& connection, const proto::AcquireResult& lease, Context& context,
                                          Interrupts& interrupts);
// What of an answer is to be approved. Throws invalid_request for bytes that are no hex.
[[nodiscard]] Approval approval_of(const proto::HooksResult& hooks);

// May it run? Of the repository's: it can be approved, and is.
[[nodiscard]] bool may_run(const proto::HookInfo& hook, bool covered);

// Runs the hooks of `event` in the slot, one after another, until one fails: throws hook_failed, and Interrupted after a
// signal. What is not approved is left out, with a line on stderr that says so.
void run_hooks(const proto::HooksResult& hooks, const std::string& event, const proto::AcquireResult& lease,
               const std::filesystem::path& socket, Context& context, Interrupts& interrupts);

// Those of post_acquire, of a lease that was just granted and has any. Throws as above: unconfirmed, the lease is rolled back.
void run_acquire_hooks(Connection& connection, const proto::AcquireResult& lease, const std::filesystem::path& socket,
                       Context& context, Interrupts& interrupts);

// What a slot that is held tells of its lease.
[[nodiscard]] proto::AcquireResult lease_of(const proto::SlotInfo& slot);

}  // namespace wtpool::client
