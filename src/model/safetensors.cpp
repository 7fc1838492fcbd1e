#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <ggml.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"

namespace selene::model {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the numbers are read as they stand");

constexpr std::string_view kAgain = "fetch or copy the file again";
constexpr std::uint64_t kMaxHeaderBytes = 32 << 20;  // The largest models take less than one MiB.
constexpr int kMaxDepth = 4;

struct TypeRow {
  std::string_view name;
  std::uint64_t bytes;
  std::int32_t ggml = -1;
};
constexpr TypeRow kTypes[] = {
    {"F32", 4, GGML_TYPE_F32},
    {"F16", 2, GGML_TYPE_F16},
    {"BF16", 2, GGML_TYPE_BF16},
    {"F64", 8},
    {"I64", 8},
    {"U64", 8},
    {"I32", 4},
    {"U32", 4},
    {"I16", 2},
    {"U16", 2},
    {"I8", 1},
    {"U8", 1},
    {"BOOL", 1},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
};

const TypeRow* find_type(std::string_view name) {
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const TypeRow& row) { return row.name == name; });
  return found == std::end(kTypes) ? nullptr : found;
}

std::string shown(std::string_view name) { return cut_to_columns(name, 60); }

Error damaged(std::string_view what) { return Error(fmt::format("damaged: {}", what), "", kAgain); }

// What starts with 8 bytes that are no size of a header.
std::string not_safetensors(std::string_view bytes) {
  if (bytes.starts_with("GGUF")) return "not a safetensors file: it is GGUF";
  if (bytes.starts_with("version https://git-lfs"))
    return "not a safetensors file: it is a git-lfs pointer: run `git lfs pull` for the file "
           "itself";
  return "not a safetensors file";
}

std::string_view header_of(std::string_view bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size) throw Error(not_safetensors(bytes), "", kAgain);
  std::memcpy(&size, bytes.data(), sizeof size);
  if (bytes.starts_with("GGUF") || bytes.starts_with("version "))
    throw Error(not_safetensors(bytes));
  if (size > kMaxHeaderBytes) {
    throw damaged(
        fmt::format("its header has {} bytes, at most {} are read", size, kMaxHeaderBytes));
  }
  if (size > bytes.size() - sizeof size) {
    throw Error(
        fmt::format("truncated: the file has {} bytes, its header alone {}", bytes.size(), size),
        "", kAgain);
  }
  return bytes.substr(sizeof size, static_cast<size_t>(size));
}

// A DOM of the header. JSON keeps the last of two equal names, which would hide an overlap, and a
// deep nest is no header.
Json parse_header(std::string_view header) {
  std::set<std::string> names;
  const auto look = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) throw damaged("its header is nested too deeply");
    if (event == Json::parse_event_t::key && depth == 1 &&
        !names.insert(value.get<std::string>()).second) {
      throw damaged(fmt::format("the tensor '{}' stands twice", shown(value.get<std::string>())));
    }
    return true;
  };
  try {
    Json json = Json::parse(header, look);
    if (!json.is_object()) throw damaged("its header is no JSON object");
    return json;
  } catch (const Json::exception&) {
    throw damaged("its header is not valid JSON");
  }
}

std::vector<std::uint64_t> whole_numbers(const Json& entry, const char* key,
                                         std::string_view tensor) {
  const auto found = entry.find(key);
  std::vector<std::uint64_t> numbers;
  if (found != entry.end() && found->is_array() && found->size() <= 8) {
    for (const Json& number : *found) {
      if (!number.is_number_unsigned()) break;
      numbers.push_back(number.get<std::uint64_t>());
    }
    if (numbers.size() == found->size()) return numbers;
  }
  throw damaged(
      fmt::format("'{}' of the tensor '{}' is no list of whole numbers", key, shown(tensor)));
}

struct Placed {
  SafetensorsTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Placed read_tensor(const std::string& name, const Json& entry) {
  if (!entry.is_object()) throw damaged(fmt::format("the tensor '{}' is no object", shown(name)));
  Placed placed;
  SafetensorsTensor& tensor = placed.tensor;
  tensor.name = name;
  const auto type = entry.find("dtype");
  if (type == entry.end() || !type->is_string())
    throw damaged(fmt::format("the tensor '{}' has no dtype", shown(name)));
  tensor.type = type->get<std::string>();
  const TypeRow* row = find_type(tensor.type);
  if (row == nullptr) {
    throw Error(fmt::format("the tensor '{}' is of the type '{}', which is not known", shown(name),
                            shown(tensor.type)));
  }
  tensor.shape = whole_numbers(entry, "shape", name);
  for (const std::uint64_t size : tensor.shape) {
    if (size != 0 && tensor.elements > (std::uint64_t{1} << 48) / size)
      throw damaged(fmt::format("the tensor '{}' has an impossible shape", shown(name)));
    tensor.elements *= size;
  }
  const std::vector<std::uint64_t> offsets = whole_numbers(entry, "data_offsets", name);
  if (offsets.size() != 2 || offsets[0] > offsets[1] ||
      offsets[1] - offsets[0] != tensor.elements * row->bytes) {
    throw damaged(
        fmt::format("the tensor '{}' has offsets that do not fit its shape", shown(name)));
  }
  placed.begin = offsets[0];
  placed.end = offsets[1];
  return placed;
}

// Each tensor begins where the one before it ends, and the last ends with the file.
void place(std::vector<Placed>& tensors, std::string_view data, SafetensorsLayout& layout) {
  std::sort(tensors.begin(), tensors.end(), [](const Placed& a, const Placed& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t at = 0;
  for (const Placed& placed : tensors) {
    if (placed.begin != at) {
      throw damaged(fmt::format("the tensor '{}' begins at {}, expected {}",
                                shown(placed.tensor.name), placed.begin, at));
    }
    at = placed.end;
  }
  if (at > data.size()) {
    throw Error(fmt::format("truncated: its tensors need {} bytes, {} are there", at, data.size()),
                "", kAgain);
  }
  if (at < data.size()) {
    throw damaged(fmt::format("{} bytes follow the last tensor", data.size() - at));
  }
  for (Placed& placed : tensors) {
    placed.tensor.bytes = data.substr(static_cast<size_t>(placed.begin),
                                      static_cast<size_t>(placed.end - placed.begin));
    layout.tensors.push_back(std::move(placed.tensor));
  }
}

}  // namespace

SafetensorsLayout read_safetensors(std::string_view bytes) {
  const std::string_view header = header_of(bytes);
  const Json json = parse_header(header);
  SafetensorsLayout layout;
  std::vector<Placed> tensors;
  for (const auto& [name, entry] : json.items()) {
    if (name != "__metadata__") {
      tensors.push_back(read_tensor(name, entry));
      continue;
    }
    if (!entry.is_object()) throw damaged("its metadata is no object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string())
        throw damaged(fmt::format("the metadata '{}' is no text", shown(key)));
      layout.metadata[key] = value.get<std::string>();
    }
  }
  place(tensors, bytes.substr(sizeof(std::uint64_t) + header.size()), layout);
  return layout;
}

std::string safetensors_header(std::span<const SafetensorsTensor> tensors) {
  // Libraries look for "format" to know whose tensors these are.
  std::string json = R"({"__metadata__":{"format":"pt"})";
  std::uint64_t at = 0;
  for (const SafetensorsTensor& tensor : tensors) {
    std::uint64_t elements = 1;
    for (const std::uint64_t size : tensor.shape) elements *= size;
    const TypeRow* row = find_type(tensor.type);
    ensure(row != nullptr, "a type of safetensors");
    const std::uint64_t end = at + elements * row->bytes;
    json += fmt::format(
        ",{}:{}", Json(tensor.name).dump(),
        Json{{"dtype", tensor.type}, {"shape", tensor.shape}, {"data_offsets", {at, end}}}.dump());
    at = end;
  }
  json += "}";
  json.append((8 - json.size() % 8) % 8, ' ');  // The numbers begin at a multiple of 8.
  const std::uint64_t size = json.size();
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  return out + json;
}

std::int32_t safetensors_number_type(std::string_view type) {
  const TypeRow* row = find_type(type);
  return row == nullptr ? -1 : row->ggml;
}

std::string safetensors_type_name(std::string_view format) {
  for (const TypeRow& row : kTypes) {
    if (row.ggml >= 0 && format == ggml_type_name(static_cast<ggml_type>(row.ggml)))
      return std::string(row.name);
  }
  ensure(false, "a format of Hugging Face folders");
  return "";
}

}  // namespace selene::model
