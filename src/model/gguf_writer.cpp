#include "model/gguf_writer.h"

namespace selene::model {
namespace {

template <typename Number>
void append_number(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

}  // namespace

void GgufWriter::key(std::string_view key, GgufType type) {
  append_text(entries_, key);
  append_number(entries_, static_cast<std::uint32_t>(type));
  ++entry_count_;
}

void GgufWriter::entry(const GgufEntry& entry) {
  entries_ += entry.record;
  ++entry_count_;
}

void GgufWriter::text(std::string_view name, std::string_view value) {
  key(name, GgufType::Text);
  append_text(entries_, value);
}

void GgufWriter::u32(std::string_view name, std::uint32_t value) {
  key(name, GgufType::U32);
  append_number(entries_, value);
}

void GgufWriter::f32(std::string_view name, float value) {
  key(name, GgufType::F32);
  append_number(entries_, value);
}

void GgufWriter::flag(std::string_view name, bool value) {
  key(name, GgufType::Bool);
  entries_ += value ? '\1' : '\0';
}

void GgufWriter::texts(std::string_view name, std::span<const std::string> values) {
  key(name, GgufType::Array);
  append_number(entries_, static_cast<std::uint32_t>(GgufType::Text));
  append_number(entries_, static_cast<std::uint64_t>(values.size()));
  for (const std::string& value : values) append_text(entries_, value);
}

void GgufWriter::i32s(std::string_view name, std::span<const std::int32_t> values) {
  key(name, GgufType::Array);
  append_number(entries_, static_cast<std::uint32_t>(GgufType::I32));
  append_number(entries_, static_cast<std::uint64_t>(values.size()));
  for (const std::int32_t value : values) append_number(entries_, value);
}

void GgufWriter::tensor(std::string_view name, std::span<const std::uint64_t> shape,
                        std::int32_t type, std::uint64_t bytes) {
  append_text(tensors_, name);
  append_number(tensors_, static_cast<std::uint32_t>(shape.size()));
  for (const std::uint64_t size : shape) append_number(tensors_, size);
  append_number(tensors_, type);
  append_number(tensors_, offset_);
  offset_ += bytes + padding(bytes).size();
  ++tensor_count_;
}

std::string GgufWriter::padding(std::uint64_t bytes) const {
  return std::string(static_cast<size_t>((alignment_ - bytes % alignment_) % alignment_), '\0');
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  append_number(out, std::uint32_t{3});
  append_number(out, tensor_count_);
  append_number(out, entry_count_);
  out += entries_;
  out += tensors_;
  return out + padding(out.size());
}

}  // namespace selene::model
