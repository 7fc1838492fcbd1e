#include "train/pairs.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::train {
namespace {

using Json = nlohmann::ordered_json;

// A field's text, or an Error without a place.
std::string text_of(const Json& row, const char* field) {
  const auto found = row.find(field);
  if (found == row.end()) throw Error(fmt::format("the field '{}' is missing", field));
  if (!found->is_string()) throw Error(fmt::format("'{}' must be a text", field));
  return found->get<std::string>();
}

std::vector<engine::Message> messages_of(const Json& row, const char* field) {
  const auto found = row.find(field);
  if (found == row.end()) throw Error(fmt::format("the field '{}' is missing", field));
  if (!found->is_array() || found->empty())
    throw Error(fmt::format("'{}' must be a list of messages and not empty", field));
  std::vector<engine::Message> messages;
  for (const Json& message : *found) {
    if (!message.is_object())
      throw Error(fmt::format("'{}' must be a list of {{role, content}}", field));
    messages.push_back({text_of(message, "role"), text_of(message, "content")});
  }
  return messages;
}

std::string answer_of(const Json& row, const char* field) {
  const std::vector<engine::Message> messages = messages_of(row, field);
  if (messages.size() != 1 || messages[0].role != "assistant")
    throw Error(fmt::format("'{}' must be one message of the assistant", field));
  if (trim(messages[0].content).empty()) throw Error(fmt::format("'{}' is empty", field));
  return messages[0].content;
}

// The answer's label, which it ends with; of pairs of elsewhere, without labels, its last word.
std::string label_of(const Json& row, const char* field, const std::string& answer,
                     const char* side) {
  if (!row.contains(field)) {
    const std::size_t space = answer.find_last_of(" \n");
    return space == std::string::npos ? answer : answer.substr(space + 1);
  }
  const std::string label = text_of(row, field);
  if (label.empty() || !answer.ends_with(label))
    throw Error(
        fmt::format("'{}' does not end with its label '{}'", side, cut_to_columns(label, 40)));
  return label;
}

std::size_t size_of(const engine::PairTokens& pair) {
  return pair.prompt.size() + std::max(pair.chosen.tokens.size(), pair.rejected.tokens.size());
}

struct Source {
  std::vector<engine::Message> prompt;
  std::string chosen, rejected, label, rejected_label;
};

engine::PairTokens tokens_of(const Source& source, const engine::ConversationTokens& tokenizer) {
  return tokenizer.pair(source.prompt, {source.chosen, source.label},
                        {source.rejected, source.rejected_label});
}

// Cuts the prompt until the pair fits. Nothing when the answers alone do not.
std::optional<engine::PairTokens> fitted(Source& source,
                                         const engine::ConversationTokens& tokenizer,
                                         std::size_t most_tokens, bool& cut) {
  engine::PairTokens tokens = tokens_of(source, tokenizer);
  // Each round cuts what the last one was over by, at its bytes a token; few are needed.
  for (int round = 0; round < 20; ++round) {
    const std::size_t size = size_of(tokens);
    if (size <= most_tokens) return tokens;
    const auto longest = std::max_element(
        source.prompt.begin(), source.prompt.end(),
        [](const auto& a, const auto& b) { return a.content.size() < b.content.size(); });
    const double bytes_a_token =
        static_cast<double>(longest->content.size()) / static_cast<double>(tokens.prompt.size());
    const auto bytes = static_cast<std::size_t>(static_cast<double>(size - most_tokens + 4) *
                                                std::max(1.0, bytes_a_token));
    std::string shorter = cut_middle(longest->content, bytes);
    if (shorter.size() >= longest->content.size()) return {};
    longest->content = std::move(shorter);
    cut = true;
    tokens = tokens_of(source, tokenizer);
  }
  return {};
}

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// The longest text between two lines of the same run of three or more backticks.
Span longest_fenced(const std::string& text) {
  Span longest;
  std::string fence;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const std::size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (fence.empty() && ticks >= 3) {
      fence = line.substr(0, ticks);
      begin = end + 1;
    } else if (!fence.empty() && line == fence) {
      if (at > begin && at - 1 - begin > longest.size()) longest = {begin, at - 1};
      fence.clear();
    }
    at = end + 1;
  }
  return longest;
}

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string cut_middle(const std::string& message, std::size_t bytes) {
  constexpr std::string_view kCut = " […] ";
  Span span = longest_fenced(message);
  if (span.size() <= kCut.size()) span = {0, message.size()};
  const std::size_t kept =
      span.size() > bytes + kCut.size() ? span.size() - bytes - kCut.size() : 0;
  std::size_t begin = span.begin + kept / 2;
  std::size_t end = span.end - (kept - kept / 2);
  while (begin > span.begin && continues_character(message[begin])) --begin;
  while (end < span.end && continues_character(message[end])) ++end;
  return message.substr(0, begin) + std::string(kCut) + message.substr(end);
}

std::filesystem::path training_file(const std::filesystem::path& mix) {
  return std::filesystem::is_directory(mix) ? mix / "train.jsonl" : mix;
}

LoadedPairs load_pairs(const std::filesystem::path& file,
                       const engine::ConversationTokens& tokenizer, std::size_t most_tokens,
                       std::size_t most) {
  LoadedPairs loaded;
  loaded.digest = sha256_file(file);
  data::JsonlReader reader(file);
  data::Row row;
  while ((most == 0 || loaded.pairs.size() < most) && reader.next(row)) {
    try {
      Source source{.prompt = messages_of(row.value, "prompt"),
                    .chosen = answer_of(row.value, "chosen"),
                    .rejected = answer_of(row.value, "rejected"),
                    .label = {},
                    .rejected_label = {}};
      if (source.chosen == source.rejected)
        throw Error("'chosen' and 'rejected' are the same: there is nothing to learn");
      source.label = label_of(row.value, "label", source.chosen, "chosen");
      source.rejected_label = label_of(row.value, "rejected_label", source.rejected, "rejected");
      bool cut = false;
      const auto tokens = fitted(source, tokenizer, most_tokens, cut);
      if (!tokens) {
        ++loaded.too_long;
        continue;
      }
      if (cut) ++loaded.cut;
      LoadedPair pair;
      pair.tokens = {.id = row.value.contains("id") ? text_of(row.value, "id") : reader.place(),
                     .prompt = tokens->prompt,
                     .chosen = tokens->chosen.tokens,
                     .rejected = tokens->rejected.tokens,
                     .chosen_verdict = tokens->chosen.label,
                     .rejected_verdict = tokens->rejected.label};
      if (row.value.contains("kind")) pair.kind = text_of(row.value, "kind");
      if (row.value.contains("source")) pair.source = text_of(row.value, "source");
      loaded.pairs.push_back(std::move(pair));
    } catch (const Error& failure) {
      throw failure.at(reader.place());
    }
  }
  if (loaded.pairs.empty())
    throw Error("there are no pairs to train on", file.string(),
                loaded.too_long > 0 ? "all are longer than the limit of tokens"
                                    : "make some with: selene curate RECIPE");
  return loaded;
}

}  // namespace selene::train
