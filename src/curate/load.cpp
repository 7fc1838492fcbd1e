#include "curate/load.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/text.h"
#include "curate/keys.h"
#include "data/columns.h"
#include "table/records.h"
#include "table/table.h"

namespace selene::curate {
namespace {

using data::take_column;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 20;

// Lines for a file that is put in place at the end.
class Lines {
 public:
  explicit Lines(const fs::path& path) : file_(path) {}
  void add(const Json& row) {
    buffer_ += row.dump();
    buffer_ += '\n';
    if (buffer_.size() >= kBufferBytes) flush();
  }
  void commit() {
    flush();
    file_.commit();
  }

 private:
  void flush() {
    file_.append(buffer_);
    buffer_.clear();
  }

  AtomicFile file_;
  std::string buffer_;
};

std::vector<std::string> take_texts(Json& row, const char* name) {
  const Json list = take_column(row, name);
  std::vector<std::string> texts;
  if (list.is_null()) return texts;
  if (!list.is_array()) throw Error(fmt::format("the column '{}' must hold lists of texts", name));
  for (const Json& text : list) {
    if (text.is_null()) continue;
    if (!text.is_string())
      throw Error(fmt::format("the column '{}' must hold lists of texts", name));
    if (!trim(text.get_ref<const std::string&>()).empty())
      texts.emplace_back(trim(text.get_ref<const std::string&>()));
  }
  return texts;
}

std::string as_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// The sample of a row of the select; what it reads it takes away.
data::Sample take_sample(const Source& source, Json& row) {
  Json fields = Json::object();
  for (const char* name : {"id", "label"}) {
    fields[name] = take_column(row, name);
    if (fields[name].is_null()) throw Error(fmt::format("the column '{}' is empty", name));
  }
  fields["id"] = as_text(fields["id"]);
  const Json task = take_column(row, "task");
  if (!task.is_null()) {
    fields["task"] = task;
  } else if (source.task) {
    fields["task"] = data::task_name(*source.task);
  } else {
    throw Error("there is no task: neither the source has one nor the row");
  }
  const Json labels = take_column(row, "labels");
  if (!labels.is_null()) {
    fields["labels"] = labels;
  } else if (!source.labels.empty()) {
    fields["labels"] = source.labels;
  }
  data::take_text_columns(row, fields);
  if (!fields.contains("criteria") && !source.criteria.empty())
    fields["criteria"] = source.criteria;
  data::Sample sample = data::sample_from_json(fields, 0);
  if (trim(sample.input).empty()) throw Error("the column 'input' is empty");
  const bool empty = sample.task == data::Task::Pairwise
                         ? trim(sample.response_a).empty() || trim(sample.response_b).empty()
                         : trim(sample.response).empty();
  if (empty) throw Error("a response is empty");
  return sample;
}

// The only other label; empty where there are several.
std::string other_label(const data::Sample& sample) {
  if (sample.labels.size() != 2) return "";
  return sample.labels[sample.label == sample.labels[0] ? 1 : 0];
}

Row to_row(const Source& source, Json columns, std::uint64_t seed) {
  Row row;
  row.source = source.name;
  row.sample = take_sample(source, columns);
  row.id = fmt::format("{}/{}", source.name, row.sample.id);
  const Json group = take_column(columns, "group_name");
  row.sample.group =
      fmt::format("{}/{}", source.groups, group.is_null() ? row.sample.id : as_text(group));
  const std::vector<std::string> critiques = take_texts(columns, "critiques");
  const std::vector<std::string> wrong_critiques = take_texts(columns, "wrong_critiques");
  const Json wrong = take_column(columns, "wrong_label");
  const std::string wrong_label = wrong.is_null() ? other_label(row.sample) : as_text(wrong);
  if (source.critiques) {
    for (const std::string& text : critiques)
      row.critiques.push_back({row.label(), text, "source"});
    for (const std::string& text : wrong_critiques)
      row.critiques.push_back({wrong_label, text, "source"});
  }
  if (const Json agreement = take_column(columns, "agreement"); !agreement.is_null()) {
    if (!agreement.is_number() || !(agreement.get<double>() >= 0 && agreement.get<double>() <= 1))
      throw Error("the column 'agreement' must hold shares from 0 to 1");
    row.agreement = agreement.get<double>();
  }
  if (const Json topic = take_column(columns, "topic"); !topic.is_null())
    row.topic = as_text(topic);
  row.sample.extra = std::move(columns);
  if (source.better_first && row.sample.task == data::Task::Pairwise) {
    if (row.label() != "A") throw Error("'better_first' wants the label A");
    if (chance(seed, "side", row.id) % 2 == 1) swap_sides(row);
  }
  return row;
}

bool is_json_lines(const std::string& name) {
  for (const char* end : {".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

class Loader {
 public:
  Loader(const Source& source, const data::Selection& selection, const LoadOptions& options)
      : source_(source), selection_(selection), options_(options) {}

  StepAccount load(const fs::path& rows_path, const fs::path& rejected_path) {
    account_.step = "load";
    counts_ = &account_.of(source_.name);
    rejected_path_ = rejected_path;
    rejected_.emplace(rejected_path);
    fs::path folder = options_.data;
    try {
      read(folder, rows_path);
    } catch (const Error& failure) {
      // A full disk is no matter of the source's lines.
      if (stopped() || failure.where() != source_.place) throw;
      // One bad line ends the select: it is run again without those.
      folder = screen();
      if (folder.empty()) throw;
      read(folder, rows_path);
    }
    rejected_->commit();
    if (!bad_rows_.empty()) add_lines(folder);
    if (folder != options_.data) fs::remove_all(folder);
    check_bad(rejected_path);
    return std::move(account_);
  }

 private:
  void read(const fs::path& folder, const fs::path& rows_path) {
    Lines out(rows_path);
    Keys ids;
    table::Rows rows(selection_.sql, folder, source_.place);
    check_columns(rows.columns());
    std::uint64_t number = 0;
    *counts_ = kept_counts_;
    account_.kept.clear();
    bad_rows_.clear();
    for (Json columns; (options_.limit == 0 || number < options_.limit) && rows.next(columns);) {
      ++number;
      if (number % 1024 == 0 && stopped()) throw Error("interrupted");
      ++counts_->in;
      const std::string id = id_of(columns);
      try {
        Row row = to_row(source_, std::move(columns), options_.seed);
        if (!ids.insert(derive_seed(0, row.id))) throw Error("the id stands twice");
        out.add(to_json(row));
        ++counts_->out;
        add_kept(row);
      } catch (const Error& failure) {
        Json about = {{"source", source_.name},
                      {"file", file_names()},
                      {"line", nullptr},
                      {"row", number},
                      {"id", id},
                      {"reason", failure.message()}};
        reject(reason_of(failure.message()), std::move(about), id);
        bad_rows_.push_back({number, id});
      }
    }
    rows_ = number;
    if (options_.limit == 0) {
      for (const table::BadLine& line : rows.rejects()) {
        ++counts_->in;
        reject_line(line);
      }
    }
    if (counts_->in == 0)
      throw Error(fmt::format("the source '{}' has no rows", source_.name), source_.place);
    out.commit();
  }

  void check_columns(const std::vector<std::string>& columns) const {
    for (const auto& [name, meant] :
         {std::pair{"group", "group_name"}, {"examples", "another name"}}) {
      if (std::find(columns.begin(), columns.end(), name) != columns.end())
        throw Error(
            fmt::format("the select of '{}' gives a column '{}', which is a field of its own",
                        source_.name, name),
            source_.place, fmt::format("call it {}", meant));
    }
    for (const char* name : {"id", "input", "label"}) {
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) continue;
      throw Error(fmt::format("the select of '{}' gives no column '{}'; it gives {}", source_.name,
                              name, fmt::join(columns, ", ")),
                  source_.place);
    }
  }

  // A folder with the source's files without their bad lines; empty where there are none.
  fs::path screen() {
    const fs::path folder = options_.scratch / ("screened-" + source_.name);
    std::vector<table::BadLine> bad;
    for (const data::SourceFile& file : selection_.files) {
      const fs::path from = options_.data / file.file;
      const fs::path to = folder / file.file;
      fs::create_directories(to.parent_path());
      std::vector<table::BadLine> lines;
      if (is_json_lines(file.file)) lines = table::screen_json_lines(from, to);
      if (lines.empty()) {
        fs::remove(to);
        fs::create_symlink(fs::absolute(from), to);
      }
      for (table::BadLine& line : lines) bad.push_back(std::move(line));
    }
    if (bad.empty()) return {};
    *counts_ = Counts{};
    account_.dropped.clear();
    bad_lines_.clear();
    rejected_.emplace(rejected_path_);
    for (const table::BadLine& line : bad) {
      ++counts_->in;
      reject_line(line);
    }
    kept_counts_ = *counts_;
    return folder;
  }

  // Of the bad rows of the select, the line of the file that each came from, where the select is
  // such that it can be said for certain.
  void add_lines(const fs::path& folder) {
    std::map<std::uint64_t, std::uint64_t> lines;
    std::string file;
    try {
      const std::optional<table::RecordSelect> select = table::with_records(selection_.sql);
      if (!select) return;
      file = select->file;
      lines = lines_of_rows(*select, folder);
    } catch (const Error&) {
      // The select cannot carry the numbers along, and without them it has run.
      if (stopped()) throw;
    }
    if (lines.empty()) return;
    AtomicFile with_lines(rejected_path_);
    std::ifstream rejected(rejected_path_);
    for (std::string text; std::getline(rejected, text);) {
      Json about = Json::parse(text);
      if (about["row"].is_number()) {
        about["file"] = file;
        about["line"] = lines.at(about["row"].get<std::uint64_t>());
      }
      with_lines.append(about.dump() + "\n");
    }
    with_lines.commit();
  }

  // By the number of the row. Empty: it cannot be said.
  std::map<std::uint64_t, std::uint64_t> lines_of_rows(const table::RecordSelect& select,
                                                       const fs::path& folder) const {
    std::map<std::uint64_t, std::uint64_t> records;
    table::Rows rows(select.sql, folder, source_.place);
    std::uint64_t number = 0;
    auto bad = bad_rows_.begin();
    for (Json columns; (options_.limit == 0 || number < options_.limit) && rows.next(columns);) {
      if (++number % 1024 == 0 && stopped()) throw Error("interrupted");
      if (bad == bad_rows_.end() || bad->number != number) continue;
      // The same row as before, or the numbers are of other ones.
      if (id_of(columns) != bad->id) return {};
      records[number] = columns.at(table::RecordSelect::kColumn).get<std::uint64_t>();
      ++bad;
    }
    if (number != rows_) return {};
    std::vector<std::uint64_t> sorted;
    for (const auto& [row, record] : records) sorted.push_back(record);
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::vector<table::BadLine> without;
    for (const table::BadLine& line : bad_lines_) {
      if (relative(line.file) == select.file) without.push_back(line);
    }
    Json count;
    table::Rows(select.count, folder, source_.place).next(count);
    const auto lines =
        table::lines_of_records(options_.data / select.file, select.header,
                                count.at("records").get<std::uint64_t>(), sorted, without);
    if (!lines) return {};
    for (auto& [row, record] : records) {
      const auto at = std::lower_bound(sorted.begin(), sorted.end(), record) - sorted.begin();
      record = (*lines)[static_cast<size_t>(at)];
    }
    return records;
  }

  bool stopped() const { return options_.stop && options_.stop(); }

  static std::string id_of(const Json& columns) {
    const auto id = columns.find("id");
    return id == columns.end() ? std::string() : as_text(*id);
  }

  void reject_line(const table::BadLine& line) {
    bad_lines_.push_back(line);
    Json about = {{"source", source_.name}, {"file", relative(line.file)},
                  {"line", line.line},      {"row", nullptr},
                  {"id", nullptr},          {"reason", line.reason}};
    reject("the line cannot be read", std::move(about),
           fmt::format("{}:{}", relative(line.file), line.line));
  }

  void reject(const std::string& reason, Json about, const std::string& id) {
    ++counts_->dropped[reason];
    const std::string name = source_.name + "/" + id;
    add_example(account_.dropped[reason],
                {.order = chance(options_.seed, "example", name + about.dump()),
                 .id = name,
                 .text = "",
                 .detail = cut_to_columns(about["reason"].get<std::string>(), 200)});
    rejected_->add(about);
  }

  void add_kept(const Row& row) {
    const std::uint64_t order = chance(options_.seed, "example", row.id);
    if (account_.kept.size() == StepAccount::kExamples && order > account_.kept.back().order)
      return;
    add_example(account_.kept,
                {.order = order, .id = row.id, .text = excerpt(row.sample, 200), .detail = ""});
  }

  // Few reasons: without what is of one row alone.
  static std::string reason_of(const std::string& message) {
    const size_t quoted = message.find(" is '");
    if (message.starts_with("the field 'label' is '")) return "a label outside of the label set";
    return cut_to_columns(quoted == std::string::npos ? message : message.substr(0, quoted), 60);
  }

  std::string file_names() const {
    std::vector<std::string> names;
    for (const data::SourceFile& file : selection_.files) names.push_back(file.file);
    if (names.size() > 3) names.resize(3);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  std::string relative(const std::string& file) const {
    for (const fs::path& folder :
         {options_.data, options_.scratch / ("screened-" + source_.name)}) {
      const fs::path name =
          fs::path(file).lexically_relative(fs::absolute(folder).lexically_normal());
      if (!name.empty() && *name.begin() != "..") return name.string();
      const fs::path plain = fs::path(file).lexically_relative(folder);
      if (!plain.empty() && *plain.begin() != "..") return plain.string();
    }
    return file;
  }

  std::string first_bad() const {
    std::ifstream rejected(rejected_path_);
    std::string text;
    std::getline(rejected, text);
    const Json about = Json::parse(text);
    const std::string place =
        about.at("line").is_null()
            ? fmt::format("row {}", about.at("row").dump())
            : fmt::format("{}:{}", about.at("file").get<std::string>(), about.at("line").dump());
    return fmt::format("{}: {}", place, cut_to_columns(about.at("reason").get<std::string>(), 200));
  }

  void check_bad(const fs::path& rejected_path) const {
    const std::uint64_t bad = counts_->in - counts_->out;
    const double share = static_cast<double>(bad) / static_cast<double>(counts_->in);
    if (counts_->out == 0 || share > options_.max_bad) {
      throw Error(
          fmt::format("{} of the {} rows of '{}' are bad ({:.1f}%, --max-bad is {:g}%); the "
                      "first: {}",
                      bad, counts_->in, source_.name, 100 * share, 100 * options_.max_bad,
                      first_bad()),
          source_.place,
          fmt::format("{} has them all; mend the file or the select, or give a larger "
                      "--max-bad",
                      rejected_path.string()));
    }
  }

  const Source& source_;
  const data::Selection& selection_;
  const LoadOptions& options_;
  StepAccount account_;
  Counts* counts_ = nullptr;
  Counts kept_counts_;  // Of lines that the screening took out.
  fs::path rejected_path_;
  std::optional<Lines> rejected_;
  struct BadRow {
    std::uint64_t number;  // Of the select's rows, from 1.
    std::string id;
  };
  std::vector<BadRow> bad_rows_;
  std::vector<table::BadLine> bad_lines_;
  std::uint64_t rows_ = 0;  // Of the select.
};

}  // namespace

std::string load_fingerprint(const Source& source, const data::Selection& selection,
                             const LoadOptions& options) {
  Json about = {{"format", 1},
                {"name", source.name},
                {"task", source.task ? Json(data::task_name(*source.task)) : Json(nullptr)},
                {"labels", source.labels},
                {"criteria", source.criteria},
                {"better_first", source.better_first},
                {"groups", source.groups},
                {"critiques", source.critiques},
                {"sql", selection.sql},
                {"seed", options.seed},
                {"limit", options.limit},
                {"files", Json::array()}};
  for (const data::SourceFile& file : selection.files)
    about["files"].push_back({file.file, sha256_file_cached(options.data / file.file)});
  return sha256(about.dump());
}

StepAccount load_source(const Source& source, const data::Selection& selection,
                        const LoadOptions& options, const fs::path& rows,
                        const fs::path& rejected) {
  return Loader(source, selection, options).load(rows, rejected);
}

}  // namespace selene::curate
