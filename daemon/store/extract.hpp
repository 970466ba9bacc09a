// Fills a directory with what an archive or another directory holds, and says what that is. The archive is read once and hashed
// on the way. Anything hostile refuses the whole, with the member named (proto::Error, store_refused); the caller removes what
// is half there. One thread each.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/store/limits.hpp"
#include "daemon/store/listing.hpp"

namespace wtpool::store {

struct Extracted {
  Listing listing;
  std::optional<std::string> sha256;  // of the archive; absent for a directory
};

// `from` is an archive (tar, tar.gz, tar.xz, tar.zst, zip) or a directory; `tree` is made.
[[nodiscard]] Extracted extract(const std::filesystem::path& from, const std::filesystem::path& tree, const Limits& limits);

// The SHA-256 of an archive alone.
[[nodiscard]] std::string archive_sha256(const std::filesystem::path& archive);

// The same of bytes in memory, for tests and the fuzzer.
[[nodiscard]] Extracted extract_bytes(std::string_view archive, const std::filesystem::path& tree, const Limits& limits);

}  // namespace wtpool::store
