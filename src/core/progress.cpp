#include "core/progress.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

namespace selene {
namespace {

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string amount(const Progress::Options& options, double count) {
  return options.bytes ? fmt::format("{:.1f}", count / 1e6) : fmt::format("{:.0f}", count);
}

}  // namespace

Progress::Progress(Options options)
    : options_(std::move(options)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() { finish(); }

void Progress::set(std::uint64_t done) {
  done_ = done;
  draw(false);
}

void Progress::resume_from(std::uint64_t done) {
  done_ = done;
  resumed_ = done;
}

void Progress::draw(bool force) {
  if (options_.silent || finished_) return;
  const auto now = std::chrono::steady_clock::now();
  const auto wait = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000);
  if (!force && now - last_ < wait) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string text = line(options_, done_, resumed_, seconds);
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[2K%s", text.c_str());
    drawn_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  std::fflush(stderr);
}

void Progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[2K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

void Progress::finish() {
  clear();
  finished_ = true;
}

std::string Progress::line(const Options& options, std::uint64_t done, std::uint64_t resumed,
                           double seconds) {
  const std::string unit = options.bytes ? "MB" : options.unit;
  std::string text = options.label.empty() ? "" : options.label + ": ";
  text += amount(options, static_cast<double>(done));
  if (options.total > 0) text += "/" + amount(options, static_cast<double>(options.total));
  text += " " + unit;
  const double rate = seconds > 0 ? static_cast<double>(done - resumed) / seconds : 0;
  if (rate <= 0) return text;
  const double shown = options.bytes ? rate / 1e6 : rate;
  text += shown >= 1 ? fmt::format("  {:.1f} {}/s", shown, unit)
                     : fmt::format("  {:.1f} s a {}", 1 / shown, options.bytes ? "MB" : "row");
  if (options.total > done) {
    text += fmt::format("  {} left", duration(static_cast<double>(options.total - done) / rate));
  }
  return text;
}

}  // namespace selene
