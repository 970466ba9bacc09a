// What a tree of processes asked of the kernel, as strace wrote it down (-f -y -xx): every call once, in the order in which
// the calls ended, with the moment at which each had begun.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wtpool::test::power {

struct Call {
  pid_t process = 0;  // of the thread
  std::string name;
  std::vector<std::string> arguments;  // as strace prints them
  long result = 0;
  std::size_t began = 0, ended = 0;  // lines of the text, so two moments can be compared
};

// The argument's text between quotes, all pieces of it one after the other (an iovec has several). Throws on a text that
// strace has cut.
[[nodiscard]] std::string text_of(std::string_view argument);
// What strace says a descriptor is: its path (`/x`, `/x (deleted)`), or `socket:[1]`, `pipe:[1]`. Empty when it says nothing.
[[nodiscard]] std::string target_of(std::string_view argument);
[[nodiscard]] std::optional<long> number_of(std::string_view argument);

// Calls that failed are left out. Throws std::runtime_error on a line it cannot read.
[[nodiscard]] std::vector<Call> read_trace(const std::string& text);

}  // namespace wtpool::test::power
