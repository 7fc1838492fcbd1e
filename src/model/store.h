// Where models live and what they are called: names that are known, files in the user's store,
// paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace selene::model {

// One row of the table of models that have a name.
struct KnownModel {
  std::string_view name;
  std::string_view alias{};  // Another name, or empty.
  std::string_view description;
  std::string_view source;  // "hf:owner/repo/file.gguf", or a section of third_party.lock.
  std::uint64_t bytes = 0;  // Of the file in the store.
  std::string_view licence;
  bool recommended = false;  // For real use.
};

std::span<const KnownModel> known_models();
// By name or alias; nullptr when there is none.
const KnownModel* find_known_model(std::string_view name);

// A file of a Hugging Face repository: hf:owner/repo/path/file.gguf[@revision].
struct HubFile {
  std::string owner;
  std::string repository;
  std::string file;  // May have folders in it.
  std::string revision = "main";

  // Below SELENE_HF_ENDPOINT, else https://huggingface.co.
  std::string url() const;
};

// Throws Error on anything but plain names: what comes from here ends in a URL and in a path.
HubFile parse_hub_file(std::string_view spec);

// `data_dir()/models`.
std::filesystem::path models_dir();
// The place in the store of a known model or an hf: spec; Error for any other text. The file need
// not be there.
std::filesystem::path store_path(std::string_view spec);

// Where `selene models tune --keep` puts a model in another number format:
// models/tuned/NAME-FORMAT.gguf.
std::filesystem::path tuned_path(std::string_view name, std::string_view format);

struct ResolvedModel {
  std::filesystem::path path;
  std::string name;               // To show: the known name, the hf: spec, or the file's name.
  std::string recorded_sha256{};  // That of a known model made here; empty: there is none.
};

// `spec` is a known name, the name of a tuned model, hf:owner/repo/file.gguf[@revision], or a path;
// "" or "default" is the environment's SELENE_MODEL (any of these) or else the default model. A
// known name wins over a file of that name (write ./name). Throws Error when the file is not there,
// with the command that gets it.
ResolvedModel resolve_model(std::string_view spec);

// Of a known model whose digest third_party.lock records; "" for every other.
std::string recorded_sha256(const KnownModel& known);
// Throws Error with both digests, and what makes the model again, when `model` is not the file that
// was recorded.
void check_recorded(const ResolvedModel& model);

}  // namespace selene::model
