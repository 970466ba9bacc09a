// `ls --watch`: the table of the slots, drawn again where it stands as they change.
#pragma once

#include <string>

#include "client/verbs/verbs.hpp"
#include "proto/messages.hpp"

namespace wtpool::client {

// Until a signal (thrown as Interrupted) or the daemon ends it. Exit code 2 when stdout is no terminal, or --json was given.
[[nodiscard]] int watch_slots(const proto::SlotListParams& params, Context& context);

// What of the text a screen has room for: lines and, in each, characters. Pure.
[[nodiscard]] std::string clipped(const std::string& text, std::size_t rows, std::size_t columns);

}  // namespace wtpool::client
