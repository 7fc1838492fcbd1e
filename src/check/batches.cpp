#include "check/batches.h"

#include <algorithm>
#include <utility>

namespace selene::check {

void add_optional_fields(const Answer& answer, data::Sample& sample) {
  for (const auto& [name, field] :
       {std::pair{"context", &data::Sample::context}, {"reference", &data::Sample::reference}}) {
    if (const auto found = answer.fields.find(name); found != answer.fields.end())
      sample.*field = field_text(*found);
  }
}

void judge_in_batches(judge::Judge& judge, const std::vector<bool>& fits,
                      const std::function<data::Sample(size_t index)>& sample_of,
                      const std::function<bool()>& stop,
                      const std::function<void(size_t index, const data::Judgment&)>& take) {
  constexpr size_t kBatch = 1024;
  for (size_t first = 0; first < fits.size() && !(stop && stop()); first += kBatch) {
    std::vector<data::Sample> samples;
    std::vector<size_t> places;
    for (size_t i = first; i < std::min(first + kBatch, fits.size()); ++i) {
      data::Sample sample = sample_of(i);
      if (!fits[i]) {
        take(i, judge.not_judged(sample, "overlong"));
        continue;
      }
      samples.push_back(std::move(sample));
      places.push_back(i);
    }
    judge.judge(samples, {.judgment =
                              [&](size_t sample, const data::Judgment& judgment) {
                                take(places[sample], judgment);
                              },
                          .stop = stop});
  }
}

}  // namespace selene::check
