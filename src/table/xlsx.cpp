#include "table/xlsx.h"

#include <zip.h>

#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace selene::table {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostRows = 1'048'576;  // ECMA-376's own limits of a sheet.
constexpr int kMostColumns = 16'384;

// The failure of a thing inside of `place`.
Error inside(const std::string& place, const Error& failure) {
  return failure.at(failure.where().empty() ? place
                                            : fmt::format("{}, {}", place, failure.where()));
}

// The parts of the workbook's ZIP archive, unpacked.
class Archive {
 public:
  Archive(const std::filesystem::path& path, std::uint64_t most_bytes)
      : most_bytes_(most_bytes), left_(most_bytes) {
    int failure = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &failure));
    if (archive_) return;
    zip_error_t error;
    zip_error_init_with_code(&error, failure);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (failure == ZIP_ER_OPEN || failure == ZIP_ER_NOENT || failure == ZIP_ER_READ)
      throw Error(fmt::format("cannot read: {}", reason));
    throw Error(fmt::format("this is no .xlsx workbook: {}", reason), "",
                "save it as .xlsx, not as .xls or .csv, and without a password, or get it again");
  }

  bool has(const std::string& part) const {
    return zip_name_locate(archive_.get(), part.c_str(), 0) >= 0;
  }

  // Not more than is left of the bytes in all, whatever size the archive states.
  std::string read(const std::string& part) {
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(
        zip_fopen(archive_.get(), part.c_str(), 0), &zip_fclose);
    if (!file) {
      throw Error(has(part) ? zip_strerror(archive_.get()) : "this part of the workbook is missing",
                  part);
    }
    std::string bytes;
    char buffer[1 << 16];
    for (zip_int64_t count = 0; (count = zip_fread(file.get(), buffer, sizeof buffer)) != 0;) {
      if (count < 0) throw Error(zip_file_strerror(file.get()), part, "get the workbook again");
      if (static_cast<std::uint64_t>(count) > left_) {
        throw Error(fmt::format("unpacked, the workbook is larger than {} bytes", most_bytes_),
                    part, "split it, or save its sheets as CSV");
      }
      left_ -= static_cast<std::uint64_t>(count);
      bytes.append(buffer, static_cast<size_t>(count));
    }
    return bytes;
  }

 private:
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive_{nullptr, &zip_discard};
  std::uint64_t most_bytes_;
  std::uint64_t left_;
};

// A part of XML. A workbook's has no document type, and so no entities of its own.
class Xml {
 public:
  Xml(Archive& archive, std::string part) : part_(std::move(part)), bytes_(archive.read(part_)) {
    const pugi::xml_parse_result result = document_.load_buffer_inplace(
        bytes_.data(), bytes_.size(),
        pugi::parse_default | pugi::parse_ws_pcdata_single | pugi::parse_doctype);
    if (!result) {
      throw Error(
          fmt::format("the XML is wrong at byte {}: {}", result.offset, result.description()),
          part_, "get the workbook again");
    }
    for (const pugi::xml_node node : document_) {
      if (node.type() == pugi::node_doctype)
        throw Error("the XML has a document type, which no workbook has", part_);
    }
  }

  pugi::xml_node root() const { return document_.document_element(); }
  const std::string& part() const { return part_; }

 private:
  std::string part_;
  std::string bytes_;  // What the document's text points into.
  pugi::xml_document document_;
};

// Without the prefix of its namespace.
std::string_view local_name(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool is_named(pugi::xml_node node, std::string_view name) {
  return node.type() == pugi::node_element && local_name(node.name()) == name;
}

pugi::xml_node child(pugi::xml_node parent, std::string_view name) {
  for (const pugi::xml_node node : parent) {
    if (is_named(node, name)) return node;
  }
  return {};
}

// `target` as it stands in a part of `folder`: "worksheets/sheet1.xml", "/xl/styles.xml".
std::string part_name(const std::filesystem::path& folder, const std::string& target) {
  const std::string name = (folder / target).lexically_normal().generic_string();
  return name.starts_with("/") ? name.substr(1) : name;
}

struct Relation {
  std::string kind;  // The end of its type: "worksheet", "sharedStrings".
  std::string part;
};

// The relations of a part, by id.
std::map<std::string, Relation> relations_of(Archive& archive, const std::filesystem::path& part) {
  const std::filesystem::path folder = part.parent_path();
  const Xml xml(archive,
                (folder / "_rels" / (part.filename().string() + ".rels")).generic_string());
  std::map<std::string, Relation> relations;
  for (const pugi::xml_node node : xml.root()) {
    const std::string type = node.attribute("Type").value();
    relations[node.attribute("Id").value()] = {
        .kind = type.substr(type.rfind('/') + 1),
        .part = part_name(folder, node.attribute("Target").value())};
  }
  return relations;
}

// Text with the characters that XML cannot hold written as _xHHHH_ (ECMA-376, ST_Xstring).
std::string unescaped(std::string_view text) {
  constexpr size_t kLength = std::string_view("_x000D_").size();
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const std::string_view part = text.substr(i, kLength);
    unsigned code = 0;
    if (part.size() == kLength && part.starts_with("_x") && part.ends_with("_")) {
      const char* const end = part.data() + kLength - 1;
      if (std::from_chars(part.data() + 2, end, code, 16).ptr != end) code = 0;
    }
    if (code > 0 && code < 0x80) {
      result.push_back(static_cast<char>(code));
      i += kLength;
    } else {
      result.push_back(text[i++]);
    }
  }
  return result;
}

// The text of a <si> or <is>: its runs, without the phonetic ones.
std::string rich_text(pugi::xml_node node) {
  std::string text;
  for (const pugi::xml_node part : node) {
    if (is_named(part, "t")) text += part.text().get();
    if (is_named(part, "r")) text += child(part, "t").text().get();
  }
  if (!is_valid_utf8(text)) throw Error("a text is not UTF-8");
  return unescaped(text);
}

std::vector<std::string> shared_texts(Archive& archive,
                                      const std::map<std::string, Relation>& relations) {
  std::vector<std::string> texts;
  for (const auto& [id, relation] : relations) {
    if (relation.kind != "sharedStrings") continue;
    const Xml xml(archive, relation.part);
    for (const pugi::xml_node node : xml.root()) {
      if (is_named(node, "si")) texts.push_back(rich_text(node));
    }
  }
  return texts;
}

template <typename Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Json number_value(std::string_view text) {
  constexpr double kExact = 9007199254740992;  // Whole numbers are exact below 2^53.
  const std::optional<double> number = number_from<double>(text);
  if (!number || !std::isfinite(*number))
    throw Error(fmt::format("'{}' is no number", cut_to_columns(text, 60)));
  if (std::trunc(*number) == *number && std::abs(*number) < kExact)
    return static_cast<std::int64_t>(*number);
  return *number;
}

// Null where the cell holds nothing.
Json cell_value(pugi::xml_node cell, const std::vector<std::string>& texts) {
  const std::string_view type = cell.attribute("t").as_string("n");
  if (type == "inlineStr") return rich_text(child(cell, "is"));
  const pugi::xml_node node = child(cell, "v");
  if (!node) return nullptr;
  const std::string_view value = trim(node.text().get());
  const std::string_view text = node.text().get();
  if (type == "s") {
    const std::optional<size_t> index = number_from<size_t>(value);
    if (!index || *index >= texts.size())
      throw Error(fmt::format("there is no shared text '{}'", cut_to_columns(value, 60)));
    return texts[*index];
  }
  if (type == "b") return value == "1" || value == "true";
  if (type == "n") return value.empty() ? Json() : number_value(value);
  if (type == "str" || type == "e" || type == "d") {
    if (!is_valid_utf8(text)) throw Error("a text is not UTF-8");
    return type == "str" ? unescaped(text) : std::string(text);
  }
  throw Error(fmt::format("the type '{}' is none", cut_to_columns(type, 60)));
}

// 1 for "A7", 28 for "AB1"; 0 for what is no cell of a sheet.
int column_of(std::string_view reference) {
  int column = 0;
  for (const char c : reference) {
    if (c < 'A' || c > 'Z') break;
    column = column * 26 + (c - 'A' + 1);
    if (column > kMostColumns) return 0;
  }
  return column;
}

std::string letters(int column) {
  std::string text;
  for (; column > 0; column = (column - 1) / 26)
    text.insert(text.begin(), static_cast<char>('A' + (column - 1) % 26));
  return text;
}

// The row's cells by column; a cell or row without a place follows the one before it.
void add_cells(Json& row, pugi::xml_node node, const std::vector<std::string>& texts) {
  int column = 0;
  for (const pugi::xml_node cell : node) {
    if (!is_named(cell, "c")) continue;
    const std::string_view reference = cell.attribute("r").value();
    const int before = column;
    column = reference.empty() ? column + 1 : column_of(reference);
    if (column <= before || column > kMostColumns)
      throw Error(fmt::format("'{}' is no cell here", cut_to_columns(reference, 60)));
    try {
      Json value = cell_value(cell, texts);
      if (!value.is_null()) row[letters(column)] = std::move(value);
    } catch (const Error& failure) {
      throw inside(fmt::format("column {}", letters(column)), failure);
    }
  }
}

void write_sheet(const Xml& xml, const std::string& name, const std::vector<std::string>& texts,
                 AtomicFile& out) {
  int number = 0;
  for (const pugi::xml_node node : child(xml.root(), "sheetData")) {
    if (!is_named(node, "row")) continue;
    const std::string_view stated = node.attribute("r").value();
    const int before = number;
    number = stated.empty() ? number + 1 : number_from<int>(stated).value_or(0);
    if (number <= before || number > kMostRows) {
      throw Error(fmt::format("'{}' is no row after row {}", cut_to_columns(stated, 60), before),
                  xml.part());
    }
    Json row = {{"sheet", name}, {"row", number}};
    const size_t names = row.size();
    try {
      add_cells(row, node, texts);
    } catch (const Error& failure) {
      throw inside(fmt::format("{}, row {}", xml.part(), number), failure);
    }
    if (row.size() > names) out.append(row.dump() + "\n");
  }
}

// The workbook's own part: the first thing that the archive says what it is.
std::string workbook_part(Archive& archive) {
  for (const auto& [id, relation] : relations_of(archive, "")) {
    if (relation.kind == "officeDocument") return relation.part;
  }
  throw Error("this is no workbook: nothing in it is the document");
}

void write_sheets(Archive& archive, AtomicFile& out) {
  const std::string part = workbook_part(archive);
  const Xml workbook(archive, part);
  const std::map<std::string, Relation> relations = relations_of(archive, part);
  const std::vector<std::string> texts = shared_texts(archive, relations);
  const pugi::xml_node sheets = child(workbook.root(), "sheets");
  if (!sheets) throw Error("this is no workbook: it has no sheets", part);
  for (const pugi::xml_node sheet : sheets) {
    const std::string name = sheet.attribute("name").value();
    std::string id;
    for (const pugi::xml_attribute attribute : sheet.attributes()) {
      if (std::string_view(attribute.name()).find(':') != std::string_view::npos &&
          local_name(attribute.name()) == "id")
        id = attribute.value();
    }
    const auto found = relations.find(id);
    if (found == relations.end() || !archive.has(found->second.part))
      throw Error(fmt::format("the sheet '{}' is missing", cut_to_columns(name, 60)), part);
    if (!is_valid_utf8(name)) throw Error("the name of a sheet is not UTF-8", part);
    if (found->second.kind == "worksheet")
      write_sheet(Xml(archive, found->second.part), name, texts, out);
  }
}

}  // namespace

bool can_read_xlsx() { return true; }

void xlsx_to_jsonl(const std::filesystem::path& workbook, const std::filesystem::path& out,
                   std::uint64_t most_bytes) {
  AtomicFile file(out);
  try {
    Archive archive(workbook, most_bytes);
    write_sheets(archive, file);
  } catch (const Error& failure) {
    throw inside(workbook.string(), failure);
  }
  file.commit();
}

}  // namespace selene::table
