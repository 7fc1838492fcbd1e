#include "bench/runner.h"

#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "data/in_order.h"
#include "data/jsonl.h"

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;

// Judged as one batch, so that beginnings are shared; memory does not grow with the benchmark.
constexpr size_t kWindow = 1024;

// The chosen items, in order.
class ChosenReader {
 public:
  explicit ChosenReader(const Work& work)
      : items_(work.items), reader_(work.spec, work.selection, work.data, work.seed, work.probe) {}

  bool next(data::Sample& sample) {
    while (reader_.next(sample)) {
      if (row_ >= items_.total) break;
      if (items_.chosen[row_++]) return true;
    }
    return false;
  }

 private:
  const ItemSet& items_;
  ItemReader reader_;
  size_t row_ = 0;
};

// Passes over the items that `output` holds. Drops its rows, or throws, where they are not theirs.
size_t pass_kept(ChosenReader& items, data::RowOutput& output) {
  if (output.rows_kept() == 0) return 0;
  data::JsonlReader rows(output.part_path());
  size_t kept = 0;
  data::Sample sample;
  for (data::Row row; kept < output.rows_kept() && rows.next(row); ++kept) {
    const bool same = items.next(sample) && row.value.value("id", Json()) ==
                                                data::id_to_json(sample.id, sample.id_is_integer);
    if (!same) {
      output.drop_rows(Error("this row is not the judgment of the benchmark's item", rows.place()));
      return 0;
    }
  }
  return kept;
}

}  // namespace

Json describe(const Work& work, const Json& judge) {
  return {{"command", "bench run"},
          {"benchmark", work.spec.name},
          {"items_sha256", work.items.digest},
          {"items", work.items.count},
          {"items_of_benchmark", work.items.total},
          {"seed", work.seed},
          {"judge", judge}};
}

bool run(const Work& work, judge::Judge& judge, data::RowOutput& output, const RunEvents& events) {
  const auto stopped = [&] { return events.stop && events.stop(); };
  std::optional<ChosenReader> items(work);
  const size_t kept = pass_kept(*items, output);
  if (kept == 0) items.emplace(work);  // Rows that were dropped may have moved it.
  if (events.kept && kept > 0) events.kept(kept);
  data::InOrder rows(kept, [&](size_t, const data::Judgment& judgment) {
    output.append(data::to_json(judgment));
  });
  const auto add = [&](size_t row, data::Judgment judgment) {
    rows.add(row, std::move(judgment));
    if (events.judged) events.judged();
  };

  bool more = true;
  for (size_t first = kept; more && !stopped();) {
    std::vector<data::Sample> window;
    data::Sample sample;
    while (window.size() < kWindow && (more = items->next(sample)))
      window.push_back(std::move(sample));
    const auto overlong = [&](size_t i, judge::Fit fit) {
      add(first + i,
          judge.not_judged(window[i], fmt::format("overlong: {} tokens, the context has {}",
                                                  fit.tokens, fit.limit)));
    };
    const auto judged = [&](size_t i, data::Judgment judgment) {
      add(first + i, std::move(judgment));
    };
    try {
      judge.judge(window, {.judgment = judged, .overlong = overlong, .stop = events.stop});
    } catch (const Error& failure) {
      throw failure.at(work.spec.name);
    }
    first += window.size();
  }
  output.sync();
  if (rows.next() == work.items.count) return true;
  if (!stopped())
    throw Error("the data changed while it was read", work.spec.name,
                "leave it as it is during a run, and run the same command again");
  return false;
}

}  // namespace selene::bench
