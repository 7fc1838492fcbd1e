#include "curate/argue.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "judge/prompt.h"

namespace selene::curate {
namespace {

constexpr std::string_view kInstruction =
    "This time the verdict is settled: {verdict}. Write the critique of an evaluator who came to "
    "this verdict by looking closely.\n"
    "- Give the reasons that lead to {word} and to nothing else, each taken from what stands "
    "between the fences and from the criteria.\n"
    "- Write it as your own finding. Say nothing of a verdict that was settled or given, and "
    "nothing of these lines.\n"
    "{sides}"
    "- A few sentences are enough; repeat nothing. Then end with \"{mark} {word}\".";

std::string described(const data::Sample& sample, std::string_view label, const std::string& word) {
  for (const auto& [name, description] : sample.rubric) {
    if (name == label) return fmt::format("{} ({})", word, description);
  }
  return word;
}

std::string instruction(const judge::Template& form, const data::Sample& sample,
                        std::string_view label) {
  const auto at = std::find(sample.labels.begin(), sample.labels.end(), label);
  ensure(at != sample.labels.end(), "a verdict that the sample does not have");
  const std::vector<std::string> words = judge::words_of(form, sample.labels);
  const std::string& word = words[static_cast<size_t>(at - sample.labels.begin())];
  std::string sides;
  if (sample.task == data::Task::Pairwise) {
    const std::vector<std::string> names = judge::words_of(form, {"A", "B"});
    sides = fmt::format("- Call the responses \"Response {}\" and \"Response {}\".\n", names[0],
                        names[1]);
  }
  return fmt::format(fmt::runtime(kInstruction),
                     fmt::arg("verdict", described(sample, label, word)), fmt::arg("word", word),
                     fmt::arg("sides", sides), fmt::arg("mark", form.mark));
}

}  // namespace

judge::Ask argue(const judge::Template& form, const data::Sample& sample, std::string_view label,
                 const judge::Policy& policy) {
  engine::Request request = judge::make_request(form, sample, policy);
  request.messages.back().content += "\n\n" + instruction(form, sample, label);
  return {.request = std::move(request),
          .template_name = form.name + "+argue",
          .template_digest = sha256(fmt::format("{}\n{}", form.digest, kInstruction))};
}

}  // namespace selene::curate
