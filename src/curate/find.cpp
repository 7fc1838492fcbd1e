#include "curate/find.h"

#include <algorithm>
#include <fstream>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "data/jsonl.h"

namespace selene::curate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Longer ids are not compared letter by letter.
constexpr size_t kMostCompared = 200;

// Until `take` returns false. Blank lines are passed over.
void each_line(const fs::path& file,
               const std::function<bool(const std::string& line, const std::string& place)>& take) {
  if (!fs::exists(file)) return;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error("this cannot be read", file.string());
  std::string line;
  for (size_t number = 1; std::getline(stream, line); ++number) {
    if (line.empty()) continue;
    if (!take(line, fmt::format("{}:{}", file.string(), number))) return;
  }
  if (stream.bad()) throw Error("this cannot be read to its end", file.string());
}

Json parsed(const std::string& line, const std::string& place) {
  try {
    return data::parse_object(line);
  } catch (const Error& failure) {
    throw failure.at(place);
  }
}

// As it stands between the quotes of a JSON string.
std::string escaped(std::string_view id) {
  const std::string quoted = Json(id).dump(-1, ' ', false, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// A whole id, or the part of one between a source's "/" and a pair's "#".
bool holds(std::string_view line, std::string_view needle) {
  for (size_t at = line.find(needle); at != std::string_view::npos;
       at = line.find(needle, at + 1)) {
    const size_t end = at + needle.size();
    if (at > 0 && end < line.size() && (line[at - 1] == '"' || line[at - 1] == '/') &&
        (line[end] == '"' || line[end] == '#'))
      return true;
  }
  return false;
}

// Of the line of a file whose rows begin with their id.
std::string id_of(const std::string& line, const std::string& place) {
  constexpr std::string_view kBegin = "{\"id\":\"";
  if (line.starts_with(kBegin)) {
    size_t end = kBegin.size();
    while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
    const std::string_view quoted = std::string_view(line).substr(
        kBegin.size() - 1, std::min(end, line.size() - 1) - kBegin.size() + 2);
    const Json id = Json::parse(quoted, nullptr, false);
    if (id.is_string()) return id.get<std::string>();
  }
  const Json row = parsed(line, place);
  const auto id = row.find("id");
  return id != row.end() && id->is_string() ? id->get<std::string>() : std::string();
}

// Levenshtein's.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

// How unlike; the least is nearest.
size_t unlikeness(std::string_view wanted, std::string_view id) {
  if (id.starts_with(wanted)) return 0;
  if (id.find(wanted) != std::string_view::npos) return 1;
  if (id.size() > kMostCompared) return kMostCompared;
  const size_t slash = id.find('/');
  const std::string_view own = slash == std::string_view::npos ? id : id.substr(slash + 1);
  return 1 + std::min(edit_distance(wanted, id), edit_distance(wanted, own));
}

}  // namespace

void each_about(const fs::path& file, std::string_view id,
                const std::function<bool(const Json& row)>& take) {
  const std::string needle = escaped(id);
  each_line(file, [&](const std::string& line, const std::string& place) {
    if (!holds(line, needle)) return true;
    const Json row = parsed(line, place);
    try {
      return take(row);
    } catch (const Json::exception& failure) {
      throw Error("this is no row of a curation: " + data::json_reason(failure), place,
                  "the file was changed by hand or is damaged: run `selene curate` again");
    }
  });
}

Json first_of(const fs::path& file) {
  Json first;
  each_line(file, [&](const std::string& line, const std::string& place) {
    first = parsed(line, place);
    return false;
  });
  return first;
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool names(std::string_view wanted, std::string_view id, std::string_view source) {
  return id == wanted ||
         (id.size() == source.size() + 1 + wanted.size() && id.starts_with(source) &&
          id[source.size()] == '/' && id.ends_with(wanted));
}

std::string_view without_pair(std::string_view id) {
  const size_t mark = id.rfind('#');
  if (mark == std::string_view::npos || mark + 1 == id.size() ||
      id.find_first_not_of("0123456789", mark + 1) != std::string_view::npos)
    return id;
  return id.substr(0, mark);
}

std::vector<std::string> nearest_ids(const fs::path& folder, std::string_view id, size_t most) {
  const std::string_view wanted = id.substr(0, kMostCompared);
  using Candidate = std::pair<size_t, std::string>;
  std::vector<Candidate> best;  // Sorted; the equally near in the order of the files.
  const auto nearer = [](const Candidate& a, const Candidate& b) { return a.first < b.first; };
  // What is further away than half of its letters is no slip.
  const size_t furthest = 1 + std::max<size_t>(1, wanted.size() / 2);
  for (const char* file : {"train", "validation", "test", "dropped"}) {
    each_line(folder / fmt::format("{}.jsonl", file),
              [&](const std::string& line, const std::string& place) {
                const std::string pair = id_of(line, place);
                const std::string one(without_pair(pair));
                Candidate candidate{unlikeness(wanted, one), one};
                if (one.empty() || candidate.first > furthest) return true;
                if (best.size() == most && !nearer(candidate, best.back())) return true;
                if (std::any_of(best.begin(), best.end(),
                                [&](const Candidate& other) { return other.second == one; }))
                  return true;
                best.insert(std::upper_bound(best.begin(), best.end(), candidate, nearer),
                            std::move(candidate));
                if (best.size() > most) best.pop_back();
                return true;
              });
  }
  std::vector<std::string> ids;
  for (Candidate& one : best) ids.push_back(std::move(one.second));
  return ids;
}

}  // namespace selene::curate
