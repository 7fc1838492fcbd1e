#include "bench/texts.h"

#include <map>

#include <fmt/format.h>

#include "bench/items.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string shown(std::string_view text) {
  if (text.size() <= kShownText) return std::string(text);
  const std::string_view start = text.substr(0, valid_utf8_prefix(text.substr(0, kShownText)));
  return fmt::format("{}… [{} bytes more]", start, text.size() - start.size());
}

std::vector<ItemText> texts_of(const data::Sample& sample) {
  std::vector<ItemText> texts;
  const auto add = [&](const char* name, const std::string& text) {
    texts.push_back({name, shown(text)});
  };
  if (sample.context) add("context", *sample.context);
  add("input", sample.input);
  if (sample.reference) add("reference", *sample.reference);
  if (sample.task == data::Task::Pairwise) {
    add("response A", sample.response_a);
    add("response B", sample.response_b);
  } else {
    add("response", sample.response);
  }
  return texts;
}

// The probe whose twins a run judged; null: none.
const Probe* probe_of(const fs::path& rows) {
  data::JsonlReader reader(rows);
  data::Row row;
  if (!reader.next(row)) return nullptr;
  const Json& about = row.value.at("extra").at("bench");
  return about.contains("probe") ? &find_probe(about.at("probe").get<std::string>()) : nullptr;
}

void add_texts(Score& score, const fs::path& folder, const fs::path& given_data) {
  const fs::path rows = folder / (score.benchmark + ".jsonl");
  const Json record = Json::parse(read_file(rows.string() + ".run.json"));
  const fs::path data =
      given_data.empty() ? fs::path(record.at("data").get<std::string>()) : given_data;
  const Spec spec = load_spec((folder / (score.benchmark + ".yaml")).string());
  const Selection* selection = present_selection(spec, data, score.no_texts);
  if (selection == nullptr) return;
  if (const auto warnings = revision_warnings(*selection, data); !warnings.empty()) {
    score.no_texts = warnings.front();
    return;
  }
  std::map<std::string, Score::Disagreement*> wanted;
  for (Score::Disagreement& one : score.disagreements) wanted[one.id] = &one;
  ItemReader reader(spec, *selection, data, record.at("work").at("seed").get<std::uint64_t>(),
                    probe_of(rows));
  for (data::Sample sample; !wanted.empty() && reader.next(sample);) {
    const auto found = wanted.find(sample.id);
    if (found == wanted.end()) continue;
    found->second->texts = texts_of(sample);
    wanted.erase(found);
  }
}

}  // namespace

void add_texts(Report& report, const fs::path& data) {
  for (Score& score : report.scores) {
    if (score.disagreements.empty()) continue;
    try {
      add_texts(score, report.folder, data);
    } catch (const Error& failure) {
      score.no_texts = failure.what();
    } catch (const Json::exception&) {
      score.no_texts = "the run's record does not say where its data was";
    }
  }
}

}  // namespace selene::bench
