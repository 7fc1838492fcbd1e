#include "arena/vote.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace selene::arena {
namespace {

constexpr std::array<std::string_view, 4> kOutcomes{"A", "B", "tie", "both_bad"};

// A number of digits at the front of `text`, taken off it.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || end != text.data() + digits || value < 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// ".5", ".123456": milliseconds.
std::optional<int> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0;
  double value = 0;
  double unit = 1000;
  bool any = false;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    unit /= 10;
    value += unit * (text.front() - '0');
    any = true;
  }
  if (!any) return std::nullopt;
  return static_cast<int>(value);
}

// "Z", "", "+02:00": minutes.
std::optional<int> take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Z")) return 0;
  const int sign = take(text, "+") ? 1 : take(text, "-") ? -1 : 0;
  if (sign == 0) return std::nullopt;
  const auto hours = take_digits(text, 2);
  take(text, ":");
  const auto minutes = take_digits(text, 2);
  if (!hours || !minutes) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  return kOutcomes.at(static_cast<std::size_t>(outcome));
}

std::optional<Outcome> outcome_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i)
    if (kOutcomes[i] == name) return static_cast<Outcome>(i);
  return std::nullopt;
}

std::string time_text(std::int64_t time_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(time_ms)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<std::int64_t> time_from_text(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d || (!take(text, "T") && !take(text, " "))) return std::nullopt;
  const auto h = take_digits(text, 2);
  if (!h || !take(text, ":")) return std::nullopt;
  const auto min = take_digits(text, 2);
  if (!min || !take(text, ":")) return std::nullopt;
  const auto s = take_digits(text, 2);
  if (!s || *h > 23 || *min > 59 || *s > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto zone = take_zone(text);
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d))};
  if (!fraction || !zone || !text.empty() || !date.ok()) return std::nullopt;
  const auto since = sys_days(date).time_since_epoch() + hours(*h) + minutes(*min - *zone) +
                     seconds(*s) + milliseconds(*fraction);
  const std::int64_t time_ms = duration_cast<milliseconds>(since).count();
  if (time_ms < 0) return std::nullopt;
  return time_ms;
}

nlohmann::ordered_json to_json(const Vote& vote) {
  nlohmann::ordered_json row = {{"id", vote.id},
                                {"judge_a", vote.judge_a},
                                {"judge_b", vote.judge_b},
                                {"outcome", outcome_name(vote.outcome)},
                                {"time", time_text(vote.time_ms)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) row[name] = value;
  };
  if (vote.taken_ms) row["taken_ms"] = *vote.taken_ms;
  add("voter", vote.voter);
  add("session", vote.session);
  add("category", vote.category);
  add("sample", vote.sample);
  add("judgment_a", vote.judgment_a);
  add("judgment_b", vote.judgment_b);
  add("source", vote.source);
  add("removed", vote.removed);
  return row;
}

}  // namespace selene::arena
