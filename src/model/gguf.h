// What a GGUF file says of itself, after checking that it is whole: llama.cpp sees a file only
// after this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace selene::model {

// Numbers are 0 where the file does not say.
struct GgufInfo {
  std::string architecture;  // "llama"; of an adapter, of the model it is for.
  std::string name;          // general.name, may be empty.
  std::string file_type;     // "Q8_0", "Q4_K_M", ...; empty when not known.
  bool is_adapter = false;   // A LoRA adapter, not a model.
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;      // Numbers in all tensors.
  std::uint64_t context_length = 0;  // Trained for, in tokens.
  std::uint64_t layers = 0;
  std::uint64_t heads = 0;  // The largest of all layers, as the next three.
  std::uint64_t kv_heads = 0;
  std::uint64_t key_size = 0;  // Numbers of one head's key.
  std::uint64_t value_size = 0;
  std::uint64_t embedding_size = 0;
  std::uint64_t vocabulary = 0;
  std::optional<std::string> chat_template;
  std::uint64_t bytes = 0;  // Of the whole file.
};

// Throws Error when the file cannot be read, is not GGUF (and says what it looks like), is of
// another version, is damaged or truncated (with both sizes), or lacks an architecture or tensors.
// Reads the header only.
GgufInfo inspect_gguf(const std::filesystem::path& path);

// The same for bytes in memory; the Error has no place.
GgufInfo inspect_gguf_bytes(std::string_view bytes);

}  // namespace selene::model
