#include "daemon/git/files/packed_refs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::string_view kHeader = "# pack-refs with:";

// "<oid> <ref>"; nothing of a line that is none.
std::optional<std::string_view> ref_in(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (line.empty() || line[0] == '#' || line[0] == '^' || space == std::string_view::npos) return std::nullopt;
  return line.substr(space + 1);
}

std::optional<Oid> oid_in(std::string_view line) { return oid_from(line.substr(0, line.find(' '))); }

}  // namespace

PackedRefs PackedRefs::open(const std::filesystem::path& common_dir) {
  PackedRefs refs;
  refs.path_ = common_dir / "packed-refs";
  Fd fd(::open(refs.path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return refs;
    throw io_error("cannot open", refs.path_, errno);
  }
  struct ::stat stat {};
  if (::fstat(fd.get(), &stat) != 0) throw io_error("cannot read", refs.path_, errno);
  if (!S_ISREG(stat.st_mode)) throw io_error("cannot read", refs.path_, EINVAL);
  refs.fd_ = std::move(fd);
  refs.size_ = static_cast<std::size_t>(stat.st_size);
  const auto header = refs.line_at_or_after(0, refs.size_);
  if (header && header->text.starts_with(kHeader)) {
    refs.sorted_ = (header->text + " ").find(" sorted ") != std::string::npos;
    refs.first_ = header->next;
  }
  return refs;
}

const std::string& PackedRefs::page(std::size_t number) {
  const auto [at, added] = pages_.try_emplace(number);
  if (!added) return at->second;
  std::string text(std::min(kPage, size_ - number * kPage), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const auto n = ::pread(fd_.get(), text.data() + got, text.size() - got, static_cast<off_t>(number * kPage + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error("cannot read", path_, errno);
    if (n == 0) break;  // somebody cut it short; what is missing reads as no ref
    got += static_cast<std::size_t>(n);
  }
  at->second = std::move(text);
  return at->second;
}

std::optional<std::size_t> PackedRefs::newline_from(std::size_t from) {
  while (from < size_) {
    const std::size_t number = from / kPage;
    const std::size_t found = page(number).find('\n', from % kPage);
    if (found != std::string::npos) return number * kPage + found;
    from = (number + 1) * kPage;
  }
  return std::nullopt;
}

std::optional<PackedRefs::Line> PackedRefs::line_at_or_after(std::size_t from, std::size_t end) {
  if (from > first_) {
    const auto before = newline_from(from - 1);
    if (!before) return std::nullopt;
    from = *before + 1;
  }
  if (from >= end) return std::nullopt;
  const auto newline = newline_from(from);
  if (!newline) return std::nullopt;  // git ends every line; half a line is no ref
  Line line;
  line.begin = from;
  line.next = *newline + 1;
  for (std::size_t at = from; at < *newline;) {
    const std::string& text = page(at / kPage);
    const std::size_t part = std::min(*newline - at, kPage - at % kPage);
    line.text += text.substr(at % kPage, part);
    at += part;
  }
  return line;
}

std::optional<PackedRefs::Line> PackedRefs::ref_line(std::size_t from, std::size_t end) {
  auto line = line_at_or_after(from, end);
  while (line && !ref_in(line->text)) line = line_at_or_after(line->next, end);
  return line;
}

std::optional<Oid> PackedRefs::value_in_unsorted(std::string_view ref) {
  for (auto line = ref_line(first_, size_); line; line = ref_line(line->next, size_)) {
    if (ref_in(line->text) == ref) return oid_in(line->text);
  }
  return std::nullopt;
}

std::optional<Oid> PackedRefs::value(std::string_view ref) {
  if (size_ == 0) return std::nullopt;
  if (!sorted_) return value_in_unsorted(ref);
  std::size_t low = first_;  // begins a line; every ref before it is smaller
  std::size_t high = size_;  // every ref that begins here or later is larger
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const auto line = ref_line(middle, high);
    if (!line) {
      high = middle;
      continue;
    }
    const auto found = *ref_in(line->text);
    if (found == ref) return oid_in(line->text);
    if (found < ref) {
      low = line->next;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

}  // namespace wtpool::git
