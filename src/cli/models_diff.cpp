// `selene models diff`: two model files held against one another.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/models_files.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/text.h"
#include "model/compare.h"
#include "model/weights.h"
#include "report/table.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;

// As of diff(1), and unlike our other commands: 1 says that they differ, 2 that something is wrong.
constexpr int kExitDiffer = 1;

constexpr const char* kExamples = R"(Examples:
  selene models diff model.gguf folder/
  selene models diff model-f16.gguf model-q8_0.gguf --format json
  selene models diff before.gguf after.gguf --numbers && echo "the same numbers"

Numbers are compared as fp32, whatever each file keeps them as. Exit codes are those of diff(1): 0 the
same, 1 they differ, 2 an error.)";

struct Options {
  std::string a;
  std::string b;
  std::string format = "text";
  bool numbers = false;
  bool quiet = false;
};

Json to_json(const model::ModelDifference& difference, bool is_same) {
  Json tensors = Json::array();
  for (const model::TensorDifference& tensor : difference.tensors) {
    Json row{{"name", tensor.name},
             {"rows", tensor.rows},
             {"columns", tensor.columns},
             {"type_a", tensor.type_a},
             {"type_b", tensor.type_b}};
    if (!tensor.shape_b.empty()) row["shape_b"] = tensor.shape_b;
    row["differing"] = tensor.differing;
    row["largest"] = tensor.largest;
    row["mean"] = tensor.mean;
    tensors.push_back(std::move(row));
  }
  return {{"same", is_same},
          {"tensors", tensors},
          {"only_a", difference.only_a},
          {"only_b", difference.only_b},
          {"metadata", difference.metadata}};
}

void print_tensors(const model::ModelDifference& difference) {
  const report::Table table({{.title = "tensor", .width = 24, .flexible = true},
                             {.title = "types", .width = 13},
                             {.title = "differ", .width = 9, .align = report::Align::Right},
                             {.title = "largest", .width = 10, .align = report::Align::Right},
                             {.title = "mean", .width = 10, .align = report::Align::Right}},
                            report::terminal(STDOUT_FILENO));
  put(table.header());
  for (const model::TensorDifference& tensor : difference.tensors) {
    if (tensor.is_same()) continue;
    const double share =
        static_cast<double>(tensor.differing) / static_cast<double>(tensor.rows * tensor.columns);
    const std::vector<report::Cell> shape{{tensor.name},
                                          {fmt::format("{} {}", tensor.type_a, tensor.type_b)},
                                          {"shape"},
                                          {fmt::format("{} x {}", tensor.rows, tensor.columns)},
                                          {tensor.shape_b}};
    const std::vector<report::Cell> numbers{{tensor.name},
                                            {fmt::format("{} {}", tensor.type_a, tensor.type_b)},
                                            {fmt::format("{:.1f} %", 100 * share)},
                                            {fmt::format("{:.3g}", tensor.largest)},
                                            {fmt::format("{:.3g}", tensor.mean)}};
    put(table.row(tensor.shape_b.empty() ? numbers : shape));
  }
  put("\n");
}

void print_text(const model::ModelDifference& difference, bool with_metadata) {
  const auto differing = static_cast<std::size_t>(
      std::count_if(difference.tensors.begin(), difference.tensors.end(),
                    [](const model::TensorDifference& tensor) { return !tensor.is_same(); }));
  if (differing > 0) print_tensors(difference);
  for (const std::string& name : difference.only_a) put(fmt::format("only in A: {}\n", name));
  for (const std::string& name : difference.only_b) put(fmt::format("only in B: {}\n", name));
  if (with_metadata) {
    for (const std::string& text : difference.metadata) put(fmt::format("{}\n", printable(text)));
  }
  put(fmt::format("{} of {} tensors have other numbers{}\n", differing, difference.tensors.size(),
                  !with_metadata ? ""
                  : difference.metadata.empty()
                      ? "; the metadata is the same"
                      : fmt::format("; {} differences in metadata", difference.metadata.size())));
}

int run_diff(const Options& options) {
  const std::filesystem::path a = model_path(options.a);
  const std::filesystem::path b = model_path(options.b);
  NumberProgress progress("comparing", model::open_weights(a)->tensors(), options.quiet);
  model::ModelDifference difference =
      model::compare_models(a, b, [&](std::uint64_t numbers) { progress.add(numbers); });
  progress.finish();
  const bool is_same = options.numbers ? difference.same_numbers() : difference.is_same();
  if (options.format == "json") {
    put(to_json(difference, is_same).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    print_text(difference, !options.numbers);
  }
  return is_same ? kExitOk : kExitDiffer;
}

}  // namespace

void add_models_diff_command(CLI::App& models, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      models.add_subcommand("diff", "Compare two models: numbers, shapes, metadata, tokenizers");
  command->footer(kExamples);
  command->add_option("A", options->a, "A GGUF, a Hugging Face folder, or a name")
      ->required()
      ->check(not_empty());
  command->add_option("B", options->b, "The same")->required()->check(not_empty());
  command->add_flag("--numbers", options->numbers, "Let metadata and tokenizers differ");
  command->add_option("--format", options->format, "How it is printed")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
  command->add_flag("--quiet", options->quiet, "No progress");
  command->callback([options, &exit_code] {
    try {
      exit_code = run_diff(*options);
    } catch (const Error& failure) {
      if (interrupted()) throw;
      throw UsageError(failure.message(), failure.where(), failure.remedy());  // Exit code 2.
    }
  });
}

}  // namespace selene::cli
