#include "daemon/git/files/blob_id.hpp"

#include "daemon/git/files/checksum.hpp"

namespace wtpool::git {

std::string blob_id(std::string_view content) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string object = "blob " + std::to_string(content.size());
  object += '\0';
  object += content;
  std::string hex;
  for (const char byte : sha1(object)) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4U];
    hex += kDigits[static_cast<unsigned char>(byte) & 0xfU];
  }
  return hex;
}

}  // namespace wtpool::git
