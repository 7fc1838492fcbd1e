#include "model/store.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/lock.h"
#include "core/text.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultName = "default";
constexpr std::string_view kHubPrefix = "hf:";

constexpr KnownModel kModels[] = {
    {.name = "smollm2-135m",
     .alias = kDefaultName,
     .description = "SmolLM2-135M-Instruct Q8_0: to try things out only",
     .source = "smollm2-135m-instruct",
     .bytes = 144'811'072,
     .licence = "Apache-2.0"},
    {.name = "selene-1-mini",
     .description = "Atla Selene 1 Mini (8B) Q4_K_M: a real judge",
     .source =
         "hf:AtlaAI/Selene-1-Mini-Llama-3.1-8B-Q4_K_M-GGUF/selene-1-mini-llama-3.1-8b-q4_k_m.gguf",
     .bytes = 4'920'000'000,
     .licence = "Llama 3.1",
     .recommended = true},
    {.name = "selene-1-mini-q8",
     .description = "Atla Selene 1 Mini (8B) Q8_0: closest to the original",
     .source =
         "hf:AtlaAI/Selene-1-Mini-Llama-3.1-8B-Q8_0-GGUF/selene-1-mini-llama-3.1-8b-q8_0.gguf",
     .bytes = 8'540'000'000,
     .licence = "Llama 3.1"},
};

std::string known_names() {
  std::vector<std::string_view> names;
  for (const KnownModel& model : kModels) names.push_back(model.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// A name that is safe in a URL and in a path: letters, digits, '-', '_' and '.', not beginning with
// '.'.
bool is_plain_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= 200 && name.front() != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

fs::path hub_path(const HubFile& hub) {
  const std::string repository =
      hub.revision == "main" ? hub.repository : fmt::format("{}@{}", hub.repository, hub.revision);
  return models_dir() / "hf" / hub.owner / repository / hub.file;
}

std::string environment_model() {
  const char* value = std::getenv("SELENE_MODEL");
  return value == nullptr ? "" : value;
}

Error not_pulled(std::string_view name, const fs::path& path) {
  return Error(fmt::format("the model '{}' is not on this machine ({})", name, path.string()), "",
               fmt::format("get it with: selene models pull {}", name));
}

bool is_file(const fs::path& path) {
  std::error_code failure;
  return fs::is_regular_file(path, failure);
}

ResolvedModel resolve_stored(std::string_view name) {
  const fs::path path = store_path(name);
  if (!is_file(path)) throw not_pulled(name, path);
  return {path, std::string(name)};
}

ResolvedModel resolve_path(std::string_view text) {
  const fs::path path = text;
  std::error_code failure;
  if (fs::is_directory(path, failure))
    throw Error("this is a folder, a GGUF file is needed", path.string());
  if (fs::exists(path, failure)) return {path, path.filename().string()};
  if (path.has_parent_path() || path.extension() == ".gguf")
    throw Error("no such file", path.string());
  throw Error(fmt::format("unknown model '{}'; known: {}", cut_to_columns(text, 60), known_names()),
              "", "or give a GGUF file or hf:owner/repo/file.gguf");
}

}  // namespace

std::span<const KnownModel> known_models() { return kModels; }

const KnownModel* find_known_model(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kModels), std::end(kModels), [&](const KnownModel& model) {
        return model.name == name || (!model.alias.empty() && model.alias == name);
      });
  return found == std::end(kModels) ? nullptr : found;
}

std::string HubFile::url() const {
  const char* set = std::getenv("SELENE_HF_ENDPOINT");
  std::string endpoint = set != nullptr && *set != '\0' ? set : "https://huggingface.co";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return fmt::format("{}/{}/{}/resolve/{}/{}", endpoint, owner, repository, revision, file);
}

HubFile parse_hub_file(std::string_view spec) {
  const auto wrong = [&](std::string_view what) {
    return Error(fmt::format("'{}' {}", cut_to_columns(spec, 120), what), "",
                 "write hf:owner/repo/file.gguf, or hf:owner/repo/file.gguf@revision");
  };
  if (!spec.starts_with(kHubPrefix)) throw wrong("does not begin with hf:");
  HubFile hub;
  std::string_view rest = spec.substr(kHubPrefix.size());
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    hub.revision = rest.substr(at + 1);
    if (!is_plain_name(hub.revision)) throw wrong("has a revision that is not a plain name");
    rest = rest.substr(0, at);
  }
  const std::vector<std::string_view> parts = split(rest, '/');
  if (parts.size() < 3) throw wrong("lacks an owner, a repository or a file");
  if (!std::all_of(parts.begin(), parts.end(), is_plain_name)) {
    throw wrong("has a part that is not a plain name (letters, digits, '-', '_', '.')");
  }
  if (!parts.back().ends_with(".gguf")) throw wrong("does not name a .gguf file");
  hub.owner = parts[0];
  hub.repository = parts[1];
  hub.file = fmt::format("{}", fmt::join(parts.begin() + 2, parts.end(), "/"));
  return hub;
}

fs::path models_dir() { return data_dir() / "models"; }

fs::path store_path(std::string_view spec) {
  const KnownModel* known = find_known_model(spec);
  const std::string_view source = known == nullptr ? spec : known->source;
  if (source.starts_with(kHubPrefix)) return hub_path(parse_hub_file(source));
  if (known != nullptr) return models_dir() / fmt::format("{}-q8_0.gguf", source);
  throw Error(fmt::format("unknown model '{}'; known: {}", cut_to_columns(spec, 60), known_names()),
              "", "or write hf:owner/repo/file.gguf");
}

std::filesystem::path tuned_path(std::string_view name, std::string_view format) {
  name = name.substr(name.rfind('/') + 1);  // Of an hf: spec the file; all where there is no slash.
  if (name.ends_with(".gguf")) name.remove_suffix(5);
  return models_dir() / "tuned" / fmt::format("{}-{}.gguf", name, format);
}

ResolvedModel resolve_model(std::string_view spec) {
  const std::string from_environment = environment_model();
  if (spec.empty() || spec == kDefaultName) spec = from_environment;
  if (spec.empty()) spec = kDefaultName;
  if (const KnownModel* known = find_known_model(spec)) {
    ResolvedModel model = resolve_stored(known->name);
    model.recorded_sha256 = recorded_sha256(*known);
    return model;
  }
  if (spec.starts_with(kHubPrefix)) return resolve_stored(spec);
  if (spec.find('/') == std::string_view::npos) {
    const std::filesystem::path tuned = models_dir() / "tuned" / fmt::format("{}.gguf", spec);
    if (std::filesystem::is_regular_file(tuned)) return {tuned, std::string(spec)};
  }
  return resolve_path(spec);
}

std::string recorded_sha256(const KnownModel& known) {
  return known.source.starts_with(kHubPrefix) ? "" : lock_value(known.source, "q8_0_sha256");
}

void check_recorded(const ResolvedModel& model) {
  if (model.recorded_sha256.empty()) return;
  const std::string actual = sha256_file_cached(model.path);
  if (actual == model.recorded_sha256) return;
  throw Error(fmt::format("the model '{}' is not the recorded one: expected {}, got {}", model.name,
                          model.recorded_sha256, actual),
              model.path.string(), fmt::format("make it again: selene models pull {}", model.name));
}

}  // namespace selene::model
