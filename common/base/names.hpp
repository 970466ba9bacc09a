// NAME, as acquire takes it: what may name a lease and its branch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wtpool {

// Nothing when `name` is good; else why it is not, as a clause ("has a component of 201 bytes; at most 200"). Checks, with no
// git process: valid UTF-8 in NFC, git's check-ref-format --branch rules, not HEAD, @, *_HEAD, refs/..., no control or
// bidirectional characters, no leading '-', at most 200 bytes a component and 244 in all. That it is not of the form of one
// of the pool's slot ids is checked by the core, which knows the pool.
[[nodiscard]] std::optional<std::string> bad_name(std::string_view name);

// A pool key: one path component, letters digits . _ - , not starting with '.' or '-', at most 100 bytes.
[[nodiscard]] std::optional<std::string> bad_pool_key(std::string_view key);
// A group: letters digits _ . - , starting with a letter, at most 64 bytes; not 'slot', and without a '-N' ending, either of
// which would make slot ids ambiguous.
[[nodiscard]] std::optional<std::string> bad_group(std::string_view group);

// For messages: control and other unprintable bytes as \xNN, so that a hostile name cannot draw on a terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace wtpool
