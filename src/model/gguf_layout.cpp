#include "model/gguf_layout.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <string>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::model {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as it stands in memory");

constexpr size_t kMaxKeyBytes = 65535;  // GGUF's own limit.
constexpr std::uint64_t kMaxAlignment = 1 << 20;
constexpr std::string_view kAgain = "fetch or copy the file again";

std::string shown(std::string_view name) { return cut_to_columns(name, 60); }

// Bytes of one element; 0 for text and arrays.
size_t element_bytes(GgufType type) {
  switch (type) {
    case GgufType::U8:
    case GgufType::I8:
    case GgufType::Bool:
      return 1;
    case GgufType::U16:
    case GgufType::I16:
      return 2;
    case GgufType::U32:
    case GgufType::I32:
    case GgufType::F32:
      return 4;
    case GgufType::U64:
    case GgufType::I64:
    case GgufType::F64:
      return 8;
    case GgufType::Text:
    case GgufType::Array:
      return 0;
  }
  return 0;
}

// Takes the file apart from the front and never looks past its end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  size_t at() const { return at_; }
  std::uint64_t left() const { return bytes_.size() - at_; }
  std::string_view since(size_t begin) const { return bytes_.substr(begin, at_ - begin); }

  std::string_view take(std::uint64_t count) {
    if (count > left()) {
      throw Error(
          fmt::format("truncated: the file ends inside its header, after {} bytes", bytes_.size()),
          "", kAgain);
    }
    const std::string_view part = bytes_.substr(at_, static_cast<size_t>(count));
    at_ += static_cast<size_t>(count);
    return part;
  }

  template <typename Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string_view text() { return take(number<std::uint64_t>()); }

  // A count of things that take at least `bytes` each: refused before anything is made of it.
  std::uint64_t count(std::string_view what, size_t bytes) {
    const auto value = number<std::uint64_t>();
    if (value > left() / bytes) {
      throw Error(fmt::format("truncated or damaged: it names {} {}, more than {} bytes can hold",
                              value, what, bytes_.size()),
                  "", kAgain);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

// What a file that is not GGUF most likely is, by its first bytes.
std::string_view what_it_is(std::string_view bytes) {
  struct Row {
    std::string_view start;
    std::string_view what;
  };
  static constexpr Row kKnown[] = {
      {"version https://git-lfs", "a git-lfs pointer: run `git lfs pull` for the file itself"},
      {"<!DOCTYPE", "an HTML page: the download gave a web page instead of the file"},
      {"<!doctype", "an HTML page: the download gave a web page instead of the file"},
      {"<html", "an HTML page: the download gave a web page instead of the file"},
      {"PK\x03\x04", "a zip archive (a wheel or a PyTorch file): unpack or convert it first"},
      {"\x1f\x8b", "a gzip archive: unpack it first"},
      {"lmgg", "an old GGML file: convert it to GGUF"},
      {"fmgg", "an old GGML file: convert it to GGUF"},
      {"tjgg", "an old GGML file: convert it to GGUF"},
      {"{", "JSON text"},
  };
  for (const Row& row : kKnown) {
    if (bytes.starts_with(row.start)) return row.what;
  }
  if (bytes.size() > 9 && bytes.substr(8, 2) == "{\"")
    return "a safetensors file: convert it to GGUF";
  return "";
}

void read_magic(Reader& reader, std::string_view bytes) {
  if (bytes.empty()) throw Error("not a GGUF file: it is empty", "", kAgain);
  if (!bytes.starts_with("GGUF")) {
    const std::string_view what = what_it_is(bytes);
    throw Error(fmt::format("not a GGUF file: it {}",
                            what.empty()
                                ? fmt::format("starts with '{}'", shown(bytes.substr(0, 16)))
                                : fmt::format("looks like {}", what)));
  }
  reader.take(4);
  const auto version = reader.number<std::uint32_t>();
  if (version != 0 && (version & 0xFFFF) == 0)
    throw Error("a big-endian GGUF file, this machine is little-endian");
  if (version < 2 || version > 3) {
    throw Error(fmt::format("GGUF version {}, only 2 and 3 can be read", version), "",
                "convert the model again");
  }
}

GgufType value_type(std::uint32_t number, std::string_view key) {
  if (number > static_cast<std::uint32_t>(GgufType::F64)) {
    throw Error(
        fmt::format("damaged: the metadata '{}' is of the unknown type {}", shown(key), number), "",
        kAgain);
  }
  return static_cast<GgufType>(number);
}

std::string_view take_elements(Reader& reader, const GgufEntry& entry) {
  if (entry.type != GgufType::Text) return reader.take(entry.count * element_bytes(entry.type));
  const size_t begin = reader.at();
  for (std::uint64_t i = 0; i < entry.count; ++i) reader.text();
  return reader.since(begin);
}

GgufEntry read_entry(Reader& reader) {
  const size_t begin = reader.at();
  GgufEntry entry;
  entry.key = reader.text();
  if (entry.key.empty() || entry.key.size() > kMaxKeyBytes) {
    throw Error(fmt::format("damaged: a metadata key of {} bytes", entry.key.size()), "", kAgain);
  }
  entry.type = value_type(reader.number<std::uint32_t>(), entry.key);
  if (entry.type == GgufType::Array) {
    entry.array = true;
    entry.type = value_type(reader.number<std::uint32_t>(), entry.key);
    if (entry.type == GgufType::Array) {
      throw Error(fmt::format("the metadata '{}' is a list of lists, which is not known",
                              shown(entry.key)));
    }
    entry.count =
        reader.count("list elements", entry.type == GgufType::Text ? 8 : element_bytes(entry.type));
  }
  entry.value = take_elements(reader, entry);
  entry.record = reader.since(begin);
  return entry;
}

// Sets elements and returns the bytes they take. The product of the shape must stay far below 2^63.
std::uint64_t measure(GgufTensor& tensor) {
  tensor.elements = 1;
  for (const std::uint64_t size : tensor.shape) {
    if (size == 0 || size > (std::uint64_t{1} << 48) / tensor.elements) {
      throw Error(fmt::format("damaged: the tensor '{}' has the shape {} x {} x {} x {}",
                              shown(tensor.name), tensor.shape[0], tensor.shape[1], tensor.shape[2],
                              tensor.shape[3]),
                  "", kAgain);
    }
    tensor.elements *= size;
  }
  const auto type = static_cast<ggml_type>(tensor.type);
  const std::int64_t block =
      tensor.type >= 0 && tensor.type < GGML_TYPE_COUNT ? ggml_blck_size(type) : 0;
  if (block <= 0) {
    throw Error(fmt::format("the tensor '{}' is of type {}, which this llama.cpp does not know",
                            shown(tensor.name), tensor.type),
                "", "the file may need a newer version of this program");
  }
  if (tensor.row_length() % static_cast<std::uint64_t>(block) != 0) {
    throw Error(
        fmt::format("damaged: rows of the tensor '{}' have {} numbers, not a multiple of {}",
                    shown(tensor.name), tensor.row_length(), block),
        "", kAgain);
  }
  return tensor.elements / static_cast<std::uint64_t>(block) * ggml_type_size(type);
}

struct PlacedTensor {
  GgufTensor tensor;
  std::uint64_t offset = 0;  // From the start of the data.
  std::uint64_t bytes = 0;
};

PlacedTensor read_tensor(Reader& reader) {
  PlacedTensor placed;
  GgufTensor& tensor = placed.tensor;
  tensor.name = reader.text();
  if (tensor.name.size() >= GGML_MAX_NAME) {
    throw Error(fmt::format("damaged: a tensor's name has {} bytes", tensor.name.size()), "",
                kAgain);
  }
  tensor.dimensions = reader.number<std::uint32_t>();
  if (tensor.dimensions < 1 || tensor.dimensions > GGML_MAX_DIMS) {
    throw Error(fmt::format("damaged: the tensor '{}' has {} dimensions", shown(tensor.name),
                            tensor.dimensions),
                "", kAgain);
  }
  for (std::uint32_t i = 0; i < tensor.dimensions; ++i)
    tensor.shape[i] = reader.number<std::uint64_t>();
  tensor.type = reader.number<std::int32_t>();
  placed.bytes = measure(tensor);
  placed.offset = reader.number<std::uint64_t>();
  return placed;
}

std::uint64_t padded(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

// The tensors stand one behind the other, each padded to the alignment: anything else llama.cpp
// refuses as well.
void place_tensors(std::vector<PlacedTensor>& tensors, std::string_view bytes, std::uint64_t data,
                   GgufLayout& layout) {
  std::uint64_t offset = 0;
  std::uint64_t needed = tensors.empty() ? 0 : data;  // A vocabulary alone ends unpadded.
  for (const PlacedTensor& placed : tensors) {
    if (placed.offset != offset) {
      throw Error(fmt::format("damaged: the tensor '{}' stands at {}, expected at {}",
                              shown(placed.tensor.name), placed.offset, offset),
                  "", kAgain);
    }
    if (placed.bytes > (std::uint64_t{1} << 60) - offset) {
      throw Error("damaged: the tensors' sizes are not possible", "", kAgain);
    }
    needed = data + offset + placed.bytes;
    offset = padded(offset + placed.bytes, layout.alignment);
  }
  if (needed > bytes.size()) {
    throw Error(
        fmt::format("truncated: the file has {} bytes, its tensors need {}", bytes.size(), needed),
        "", kAgain);
  }
  for (PlacedTensor& placed : tensors) {
    placed.tensor.bytes =
        bytes.substr(static_cast<size_t>(data + placed.offset), static_cast<size_t>(placed.bytes));
    layout.tensors.push_back(placed.tensor);
  }
}

std::uint64_t read_alignment(const GgufLayout& layout) {
  const GgufEntry* entry = layout.find("general.alignment");
  if (entry == nullptr) return 32;
  const bool fits = entry->type == GgufType::U32 && !entry->array;
  const std::uint64_t alignment = fits ? *layout.number("general.alignment") : 0;
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) {
    throw Error("damaged: general.alignment is not a small power of two", "", kAgain);
  }
  return alignment;
}

// One element of an integer entry; nothing when it is no integer or negative.
std::optional<std::uint64_t> integer_at(const GgufEntry& entry, std::uint64_t index) {
  const size_t width = element_bytes(entry.type);
  if (width == 0 || entry.type == GgufType::F32 || entry.type == GgufType::F64 ||
      entry.type == GgufType::Bool) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, entry.value.data() + index * width, width);
  const bool is_signed = entry.type == GgufType::I8 || entry.type == GgufType::I16 ||
                         entry.type == GgufType::I32 || entry.type == GgufType::I64;
  if (is_signed && (value >> (8 * width - 1)) != 0) return std::nullopt;
  return value;
}

}  // namespace

int GgufTensor::used_dimensions() const {
  for (int i = 3; i > 0; --i) {
    if (shape[static_cast<size_t>(i)] > 1) return i + 1;
  }
  return 1;
}

const GgufEntry* GgufLayout::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const GgufEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<std::string_view> GgufLayout::text(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->array || entry->type != GgufType::Text)
    throw Error(fmt::format("damaged: '{}' is not a text", key));
  return entry->value.substr(8);  // After its length.
}

std::optional<std::uint64_t> GgufLayout::number(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->count == 0) return std::nullopt;
  std::uint64_t largest = 0;
  for (std::uint64_t i = 0; i < entry->count; ++i) {
    const std::optional<std::uint64_t> value = integer_at(*entry, i);
    if (!value) throw Error(fmt::format("damaged: '{}' is not a whole number of at least 0", key));
    largest = std::max(largest, *value);
  }
  return largest;
}

GgufLayout read_gguf_layout(std::string_view bytes) {
  Reader reader(bytes);
  read_magic(reader, bytes);
  const std::uint64_t tensor_count = reader.count("tensors", 8 + 4 + 8 + 4 + 8);
  const std::uint64_t entry_count = reader.count("metadata entries", 8 + 1 + 4 + 1);

  GgufLayout layout;
  std::set<std::string_view> keys;
  for (std::uint64_t i = 0; i < entry_count; ++i) {
    layout.entries.push_back(read_entry(reader));
    if (!keys.insert(layout.entries.back().key).second) {
      throw Error(
          fmt::format("damaged: the metadata '{}' stands twice", shown(layout.entries.back().key)),
          "", kAgain);
    }
  }
  layout.alignment = read_alignment(layout);

  std::vector<PlacedTensor> tensors;
  std::set<std::string_view> names;
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    tensors.push_back(read_tensor(reader));
    if (!names.insert(tensors.back().tensor.name).second) {
      throw Error(
          fmt::format("damaged: the tensor '{}' stands twice", shown(tensors.back().tensor.name)),
          "", kAgain);
    }
  }
  place_tensors(tensors, bytes, padded(reader.at(), layout.alignment), layout);
  return layout;
}

}  // namespace selene::model
