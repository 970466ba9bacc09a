#include "proto/time_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "proto/codec/codec.hpp"

namespace wtpool::proto {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kYear0 = -62'167'219'200;
constexpr std::int64_t kEndOfYear9999 = 253'402'300'799;
constexpr std::int64_t kDay = 86'400;

int number_at(std::string_view text, std::size_t start, std::size_t length) {
  int out = 0;
  std::from_chars(text.data() + start, text.data() + start + length, out);
  return out;
}

}  // namespace

std::string rfc3339(std::int64_t utc_seconds) {
  const auto seconds = std::chrono::seconds(std::clamp(utc_seconds, kYear0, kEndOfYear9999));
  const auto day = std::chrono::floor<days>(seconds);
  const year_month_day date{sys_days(day)};
  const auto rest = static_cast<int>((seconds - day).count());
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3600, rest / 60 % 60, rest % 60);
  return text.data();
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  const auto fits = [](char form, char c) { return form == '0' ? c >= '0' && c <= '9' : c == form; };
  if (!std::ranges::equal(kForm, text, fits)) return std::nullopt;
  const year_month_day date{std::chrono::year(number_at(text, 0, 4)),
                            std::chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
                            std::chrono::day(static_cast<unsigned>(number_at(text, 8, 2)))};
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::int64_t{sys_days(date).time_since_epoch().count()} * kDay + hour * 3600 + minute * 60 + second;
}

}  // namespace wtpool::proto
