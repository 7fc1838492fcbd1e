// One progress line for long work: done/total, rate, time left.
//
// On a terminal the line is redrawn in place at most 10 times a second; elsewhere (a log) one line
// is written every 10 s, so that short work is silent there. Writes to stderr only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace selene {

class Progress {
 public:
  struct Options {
    std::string label;  // "judging"
    std::string unit = "rows";
    std::uint64_t total = 0;  // 0: not known.
    bool bytes = false;       // Show as MB.
    bool silent = false;
  };

  explicit Progress(Options options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set(std::uint64_t done);
  void add(std::uint64_t count) { set(done_ + count); }
  // Work that was there before the start counts as done but not for the rate.
  void resume_from(std::uint64_t done);
  // Wipes the line, so that other text can be printed; the next set() draws it again.
  void clear();
  // Wipes the line for good.
  void finish();

  // "12/124 rows  1.9/s  0:59 left", for tests and for other places to show.
  static std::string line(const Options& options, std::uint64_t done, std::uint64_t resumed,
                          double seconds);

 private:
  void draw(bool force);

  Options options_;
  std::uint64_t done_ = 0;
  std::uint64_t resumed_ = 0;
  bool terminal_ = false;
  bool drawn_ = false;
  bool finished_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace selene
