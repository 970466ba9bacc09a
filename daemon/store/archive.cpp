#include "daemon/store/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <langinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <vector>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/store/sums.hpp"

namespace wtpool::store {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr std::size_t kBuffer = 256 * 1024;

// Names are taken as UTF-8 whatever the daemon's own locale: libarchive asks that of the thread.
class Utf8Locale {
 public:
  Utf8Locale() : ours_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (ours_ == nullptr) ours_ = ::newlocale(LC_CTYPE_MASK, "en_US.UTF-8", nullptr);
    if (ours_ != nullptr) before_ = ::uselocale(ours_);
  }
  ~Utf8Locale() {
    if (ours_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(ours_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t ours_ = nullptr;
  locale_t before_ = nullptr;
};

std::string text_of(const char* plain, const char* utf8) {
  if (plain != nullptr) return plain;
  return utf8 != nullptr ? utf8 : "";
}

}  // namespace

struct Archive::State {
  Utf8Locale locale;
  struct ::archive* reader = nullptr;
  Fd file;
  std::string_view memory;
  bool from_memory = false;
  bool zip = false;  // it is read back and forth, so it is hashed apart
  std::vector<char> buffer;
  std::uint64_t at = 0;  // in the file
  std::uint64_t read = 0;
  Sha256 sum;
  int read_failure = 0;

  ~State() {
    if (reader != nullptr) ::archive_read_free(reader);
  }

  // 0 at the end, -1 with read_failure.
  ssize_t read_some(const void** bytes) {
    if (from_memory) {
      const std::string_view rest = memory.substr(std::min<std::size_t>(static_cast<std::size_t>(at), memory.size()));
      const std::string_view part = rest.substr(0, kBuffer);
      *bytes = part.data();
      return taken(part);
    }
    buffer.resize(kBuffer);
    ssize_t count = 0;
    do {
      count = ::read(file.get(), buffer.data(), buffer.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      read_failure = errno;
      return -1;
    }
    *bytes = buffer.data();
    return taken({buffer.data(), static_cast<std::size_t>(count)});
  }

  ssize_t taken(std::string_view part) {
    at += part.size();
    read += part.size();
    if (!zip) sum.add(part);
    return static_cast<ssize_t>(part.size());
  }

  std::int64_t seek(std::int64_t offset, int whence) {
    std::int64_t target = offset;
    if (from_memory) {
      if (whence == SEEK_CUR) target += static_cast<std::int64_t>(at);
      if (whence == SEEK_END) target += static_cast<std::int64_t>(memory.size());
      if (target < 0) return ARCHIVE_FATAL;
    } else {
      target = ::lseek(file.get(), offset, whence);
      if (target < 0) return ARCHIVE_FATAL;
    }
    at = static_cast<std::uint64_t>(target);
    return target;
  }

  [[nodiscard]] bool starts_as_zip() const {
    char start[4] = {};
    if (from_memory) {
      std::copy_n(memory.data(), std::min<std::size_t>(4, memory.size()), start);
    } else if (::pread(file.get(), start, sizeof start, 0) != static_cast<ssize_t>(sizeof start)) {
      return false;
    }
    return std::memcmp(start, "PK\3\4", 4) == 0 || std::memcmp(start, "PK\5\6", 4) == 0;
  }

  void open();
  [[noreturn]] void fail() const;
};

void Archive::State::fail() const {
  if (read_failure != 0)
    throw Error(ErrorKind::io_error, "cannot read the archive: " + std::string(std::strerror(read_failure)));
  const char* why = ::archive_error_string(reader);
  throw Error(ErrorKind::store_refused, "the archive is refused: " + printable(why != nullptr ? why : "it is torn"));
}

void Archive::State::open() {
  zip = starts_as_zip();
  reader = ::archive_read_new();
  if (reader == nullptr) throw std::bad_alloc();
  if (zip) {
    ::archive_read_support_format_zip_seekable(reader);
  } else {
    ::archive_read_support_format_tar(reader);
    ::archive_read_support_filter_gzip(reader);
    ::archive_read_support_filter_xz(reader);
    ::archive_read_support_filter_zstd(reader);
  }
  ::archive_read_set_callback_data(reader, this);
  ::archive_read_set_read_callback(reader, [](struct ::archive* self, void* data, const void** bytes) -> la_ssize_t {
    const ssize_t count = static_cast<State*>(data)->read_some(bytes);
    if (count < 0) ::archive_set_error(self, EIO, "it cannot be read");
    return count;
  });
  if (zip) {
    ::archive_read_set_seek_callback(reader, [](struct ::archive*, void* data, la_int64_t offset, int whence) -> la_int64_t {
      return static_cast<State*>(data)->seek(offset, whence);
    });
  }
  if (::archive_read_open1(reader) != ARCHIVE_OK) fail();
}

Archive::Archive(Fd file) : state_(std::make_unique<State>()) {
  state_->file = std::move(file);
  state_->open();
}

Archive::Archive(std::string_view bytes) : state_(std::make_unique<State>()) {
  state_->from_memory = true;
  state_->memory = bytes;
  state_->open();
}

Archive::~Archive() = default;

std::optional<Member> Archive::next() {
  struct ::archive_entry* entry = nullptr;
  const int result = ::archive_read_next_header(state_->reader, &entry);
  if (result == ARCHIVE_EOF) {
    // Any bytes at all pass for an empty tar; a store entry is never made of those.
    return std::nullopt;
  }
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) state_->fail();
  Member member;
  member.name = text_of(::archive_entry_pathname(entry), ::archive_entry_pathname_utf8(entry));
  member.mode = static_cast<unsigned>(::archive_entry_perm(entry));
  // Far beyond what nanoseconds can count is the future, or the past.
  const std::int64_t seconds = std::clamp<std::int64_t>(::archive_entry_mtime(entry), -9'000'000'000, 9'000'000'000);
  const std::int64_t ns = std::clamp<std::int64_t>(::archive_entry_mtime_nsec(entry), 0, 999'999'999);
  member.mtime_ns = seconds * 1'000'000'000 + ns;
  member.encrypted = ::archive_entry_is_encrypted(entry) != 0;
  if (::archive_entry_size_is_set(entry) != 0)
    member.size = static_cast<std::uint64_t>(std::max<std::int64_t>(0, ::archive_entry_size(entry)));
  const char* hard = ::archive_entry_hardlink(entry);
  if (hard != nullptr || ::archive_entry_hardlink_utf8(entry) != nullptr) {
    member.kind = Member::Kind::hard_link;
    member.target = text_of(hard, ::archive_entry_hardlink_utf8(entry));
    return member;
  }
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      member.kind = Member::Kind::file;
      break;
    case AE_IFDIR:
      member.kind = Member::Kind::directory;
      break;
    case AE_IFLNK:
      member.kind = Member::Kind::symlink;
      member.target = text_of(::archive_entry_symlink(entry), ::archive_entry_symlink_utf8(entry));
      break;
    default:
      break;
  }
  return member;
}

std::optional<Block> Archive::next_block() {
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int result = ::archive_read_data_block(state_->reader, &bytes, &size, &offset);
  if (result == ARCHIVE_EOF) return std::nullopt;
  if (result != ARCHIVE_OK || offset < 0) state_->fail();
  return Block{static_cast<std::uint64_t>(offset), {static_cast<const char*>(bytes), size}};
}

std::uint64_t Archive::bytes_read() const { return state_->read; }

std::string Archive::sha256() {
  if (state_->zip) {
    state_->zip = false;
    if (state_->seek(0, SEEK_SET) != 0) throw Error(ErrorKind::io_error, "cannot read the archive again");
  }
  const void* bytes = nullptr;
  while (true) {
    const ssize_t count = state_->read_some(&bytes);
    if (count < 0) state_->fail();
    if (count == 0) return state_->sum.hex();
  }
}

}  // namespace wtpool::store
