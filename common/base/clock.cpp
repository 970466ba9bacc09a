#include "common/base/clock.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <limits>
#include <string_view>
#include <system_error>

#include "proto/errors.hpp"

namespace wtpool {
namespace {

struct CivilTime {
  std::int64_t year;
  int month, day, hour, minute, second;
};

CivilTime civil_of(std::int64_t seconds) {
  using namespace std::chrono;
  // Text is for people: a time outside what four digits of a year can say is clamped rather than refused.
  constexpr std::int64_t kFirst = -62'135'596'800;  // 0001-01-01
  constexpr std::int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59
  const sys_seconds moment{std::chrono::seconds(seconds < kFirst ? kFirst : seconds > kLast ? kLast : seconds)};
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{moment - day};
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count())};
}

std::string formatted(const char* format, std::int64_t seconds) {
  const CivilTime t = civil_of(seconds);
  std::array<char, 64> buffer{};
  const int length =
      std::snprintf(buffer.data(), buffer.size(), format, static_cast<int>(t.year), t.month, t.day, t.hour, t.minute, t.second);
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

// Takes `count` digits from the front of `text`; false leaves both undefined.
bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::chrono::nanoseconds awake_now() {
#ifdef __APPLE__
  constexpr clockid_t kAwake = CLOCK_UPTIME_RAW;
#else
  constexpr clockid_t kAwake = CLOCK_MONOTONIC;
#endif
  timespec now{};
  ::clock_gettime(kAwake, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::int64_t booted_at() {
#ifdef __APPLE__
  constexpr clockid_t kSinceBoot = CLOCK_MONOTONIC;  // goes on while the machine sleeps
#else
  constexpr clockid_t kSinceBoot = CLOCK_BOOTTIME;
#endif
  timespec up{};
  ::clock_gettime(kSinceBoot, &up);
  return wall_now() - static_cast<std::int64_t>(up.tv_sec);
}

std::int64_t wall_now() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::string compact_utc(std::int64_t seconds) { return formatted("%04d%02d%02dT%02d%02d%02dZ", seconds); }

std::string rfc3339_utc(std::int64_t seconds) { return formatted("%04d-%02d-%02dT%02d:%02d:%02dZ", seconds); }

bool parse_rfc3339(const std::string& text, std::int64_t& seconds) {
  using namespace std::chrono;
  std::string_view rest = text;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (!take_digits(rest, 4, y) || !take(rest, "-") || !take_digits(rest, 2, mo) || !take(rest, "-") ||
      !take_digits(rest, 2, d) || !take(rest, "Tt ") || !take_digits(rest, 2, h) || !take(rest, ":") ||
      !take_digits(rest, 2, mi) || !take(rest, ":") || !take_digits(rest, 2, s))
    return false;
  if (take(rest, ".")) {
    int digit = 0;
    if (!take_digits(rest, 1, digit)) return false;
    while (take_digits(rest, 1, digit)) {
    }
  }
  minutes offset{0};
  if (!take(rest, "Zz")) {
    if (rest.empty()) return false;
    const int sign = rest.front() == '-' ? -1 : 1;
    int oh = 0, om = 0;
    if (!take(rest, "+-") || !take_digits(rest, 2, oh) || !take(rest, ":") || !take_digits(rest, 2, om) || oh > 23 || om > 59)
      return false;
    offset = sign * (hours(oh) + minutes(om));
  }
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  if (!rest.empty() || y < 1 || !date.ok() || h > 23 || mi > 59 || s > 60) return false;
  const auto moment = sys_days(date) + hours(h) + minutes(mi) + std::chrono::seconds(s) - offset;
  seconds = moment.time_since_epoch().count();
  return true;
}

std::string random_hex(int digits) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  std::array<unsigned char, 64> bytes{};
  while (static_cast<int>(text.size()) < digits) {
    if (::getentropy(bytes.data(), bytes.size()) != 0)
      throw proto::Error(proto::ErrorKind::internal, "cannot read random bytes: " + std::generic_category().message(errno));
    for (const unsigned char byte : bytes) {
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
  text.resize(digits > 0 ? static_cast<std::size_t>(digits) : 0);
  return text;
}

}  // namespace wtpool
