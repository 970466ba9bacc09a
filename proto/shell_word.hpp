// Hints are commands that people paste: what varies in them goes through here.
#pragma once

#include <string>
#include <string_view>

namespace wtpool::proto {

// `text` as one word of a POSIX shell: as it is where every shell reads it so, else in single quotes. One that starts with '-',
// and would be read as an option, is put below "./". Control characters stay, for programs that read the hint; shown by
// printable() the word is still one word, and names nothing that is there.
[[nodiscard]] std::string shell_word(std::string_view text);

}  // namespace wtpool::proto
