#include "tests/unit/store/tars.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cstdio>
#include <cstring>

namespace wtpool::store::test {
namespace {

void put_octal(char* field, std::size_t size, std::uint64_t value) {
  std::snprintf(field, size, "%0*llo", static_cast<int>(size - 1), static_cast<unsigned long long>(value));
}

std::string header(const TarMember& member, const std::string& name, char type, std::uint64_t size) {
  std::string block(512, '\0');
  name.copy(block.data(), 100);
  put_octal(block.data() + 100, 8, member.mode);
  put_octal(block.data() + 108, 8, 0);
  put_octal(block.data() + 116, 8, 0);
  put_octal(block.data() + 124, 12, size);
  put_octal(block.data() + 136, 12, static_cast<std::uint64_t>(member.mtime));
  block[156] = type;
  member.target.copy(block.data() + 157, 100);
  std::memcpy(block.data() + 257, "ustar", 6);
  std::memcpy(block.data() + 263, "00", 2);
  put_octal(block.data() + 329, 8, 1);
  put_octal(block.data() + 337, 8, 3);
  std::memset(block.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  if (member.wrong_sum) ++sum;
  std::snprintf(block.data() + 148, 8, "%06o", sum);
  return block;
}

std::string padded(std::string content) {
  content.resize((content.size() + 511) / 512 * 512, '\0');
  return content;
}

}  // namespace

std::string tar_of(const std::vector<TarMember>& members) {
  std::string tar;
  for (const TarMember& member : members) {
    // GNU's way to write a long name.
    if (member.name.size() > 99)
      tar += header(member, "././@LongLink", 'L', member.name.size() + 1) + padded(member.name + '\0');
    tar += header(member, member.name, member.type, member.content.size()) + padded(member.content);
  }
  return tar + std::string(1024, '\0');
}

std::string archive_of(const std::vector<TarMember>& members, Form form) {
  struct ::archive* writer = ::archive_write_new();
  if (form == Form::zip) {
    ::archive_write_set_format_zip(writer);
  } else {
    ::archive_write_set_format_gnutar(writer);
    if (form == Form::tar_gz) ::archive_write_add_filter_gzip(writer);
    if (form == Form::tar_xz) ::archive_write_add_filter_xz(writer);
    if (form == Form::tar_zst) ::archive_write_add_filter_zstd(writer);
  }
  ::archive_write_set_bytes_in_last_block(writer, 1);
  std::string bytes(32 << 20, '\0');
  std::size_t used = 0;
  ::archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  struct ::archive_entry* entry = ::archive_entry_new();
  for (const TarMember& member : members) {
    ::archive_entry_clear(entry);
    ::archive_entry_set_pathname(entry, member.name.c_str());
    ::archive_entry_set_perm(entry, static_cast<mode_t>(member.mode));
    ::archive_entry_set_mtime(entry, member.mtime, 0);
    ::archive_entry_set_filetype(entry, member.type == '5' ? AE_IFDIR : member.type == '2' ? AE_IFLNK : AE_IFREG);
    if (member.type == '2') ::archive_entry_set_symlink(entry, member.target.c_str());
    if (member.type == '1') ::archive_entry_set_hardlink(entry, member.target.c_str());
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    ::archive_write_header(writer, entry);
    ::archive_write_data(writer, member.content.data(), member.content.size());
  }
  ::archive_entry_free(entry);
  ::archive_write_close(writer);
  ::archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

}  // namespace wtpool::store::test
