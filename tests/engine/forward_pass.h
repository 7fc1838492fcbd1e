// Label scores the plain way, with llama.cpp called directly and nothing shared: for each label a
// fresh context in which the prompt is computed at once and then the answer, at most 63 tokens a
// pass (with 64 ggml's flash attention would take the prompt's kernel).
#pragma once

#include <llama-cpp.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/chat_template.h"
#include "engine/llama_engine.h"
#include "engine/tokens.h"

namespace selene::testing {

class ForwardPass {
 public:
  // `chat_template` in Jinja; empty: the model's own.
  explicit ForwardPass(const std::filesystem::path& path, const std::string& chat_template = "") {
    engine::llama_system_info();  // Sets up the engine's log: llama.cpp is silent after it.
    model_.reset(llama_model_load_from_file(path.c_str(), llama_model_default_params()));
    if (model_ == nullptr) throw std::runtime_error("llama.cpp cannot load " + path.string());
    vocab_ = llama_model_get_vocab(model_.get());
    tokenizer_ = std::make_unique<engine::Tokenizer>(vocab_);
    chat_template_ = std::make_unique<engine::ChatTemplate>(engine::ChatTemplate::Options{
        .source = chat_template.empty() ? llama_model_chat_template(model_.get(), nullptr)
                                        : chat_template,
        .bos_token = tokenizer_->control_text(llama_vocab_bos(vocab_)),
        .eos_token = tokenizer_->control_text(llama_vocab_eos(vocab_))});
  }

  const engine::Tokenizer& tokenizer() const { return *tokenizer_; }
  const engine::ChatTemplate& chat_template() const { return *chat_template_; }

  // log p of each label after the prompt, the given critique and the mark.
  std::vector<double> label_log_probs(const engine::Request& request,
                                      const std::string& generated = "") const {
    const engine::PromptText prompt = tokenizer_->prompt(chat_template_->render(request.messages));
    const std::string before = engine::answer_before_label(request, generated);
    std::vector<std::vector<llama_token>> texts;
    for (const std::string& label : request.labels)
      texts.push_back(tokenizer_->tokens(prompt, before + " " + label));
    size_t base = texts.front().size() - 1;
    for (const auto& text : texts) {
      const auto ends =
          std::mismatch(text.begin(), text.end(), texts.front().begin(), texts.front().end());
      base = std::min({base, text.size() - 1, static_cast<size_t>(ends.first - text.begin())});
    }
    std::vector<double> scores;
    for (const auto& text : texts) scores.push_back(score(text, base, texts, prompt));
    return scores;
  }

  // log p of every token of the vocabulary after each token of `text` from `first` on.
  std::vector<std::vector<double>> log_probs(const std::vector<llama_token>& text, size_t first,
                                             const engine::PromptText& prompt) const {
    llama_context_params params = llama_context_default_params();
    params.n_seq_max = 1;
    params.n_ctx = static_cast<std::uint32_t>(text.size() + 1);
    params.n_batch = params.n_ctx;
    params.n_ubatch = params.n_ctx;
    params.n_outputs_max = params.n_ctx;
    params.kv_unified = false;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    params.n_threads = params.n_threads_batch = 1;
    const llama_context_ptr context(llama_init_from_model(model_.get(), params));
    const std::vector<llama_token> begins = tokenizer_->tokens(prompt, "");
    const auto ends = std::mismatch(begins.begin(), begins.end(), text.begin(), text.end()).first;
    std::vector<std::vector<double>> rows;
    llama_batch batch = llama_batch_init(static_cast<std::int32_t>(text.size() + 1), 0, 1);
    size_t end = static_cast<size_t>(ends - begins.begin());
    for (size_t start = 0; start < text.size(); start = end) {
      if (start > 0) end = text.size() - start > 63 ? start + 60 : text.size();
      batch.n_tokens = 0;
      // A single token would go through a third kernel: one more, which changes nothing before it.
      for (size_t i = start; i < std::max(end, start + 2); ++i) {
        const std::int32_t place = batch.n_tokens++;
        batch.token[place] = text[std::min(i, text.size() - 1)];
        batch.pos[place] = static_cast<llama_pos>(i);
        batch.n_seq_id[place] = 1;
        batch.seq_id[place][0] = 0;
        batch.logits[place] = i >= first && i < end;
      }
      if (llama_decode(context.get(), batch) != 0) throw std::runtime_error("llama_decode failed");
      for (size_t i = std::max(start, first); i < end; ++i) {
        const float* logits =
            llama_get_logits_ith(context.get(), static_cast<std::int32_t>(i - start));
        rows.emplace_back(logits, logits + llama_vocab_n_tokens(vocab_));
        log_softmax(rows.back());
      }
    }
    llama_batch_free(batch);
    return rows;
  }

 private:
  static void log_softmax(std::vector<double>& row) {
    const double highest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit - highest);
    const double total = highest + std::log(sum);
    for (double& logit : row) logit -= total;
  }

  double score(const std::vector<llama_token>& text, size_t base,
               const std::vector<std::vector<llama_token>>& all,
               const engine::PromptText& prompt) const {
    const std::vector<std::vector<double>> rows = log_probs(text, base - 1, prompt);
    double sum = 0;
    for (size_t i = text.size(); i-- > base;) sum += rows[i - base][static_cast<size_t>(text[i])];
    // Where longer labels go on: the probability that none of their next tokens follows.
    std::set<llama_token> next;
    for (const auto& other : all) {
      if (other.size() > text.size() && std::equal(text.begin(), text.end(), other.begin()))
        next.insert(other[text.size()]);
    }
    double longer = 0;
    for (const llama_token token : next)
      longer += std::exp(rows.back()[static_cast<size_t>(token)]);
    return longer > 0 ? sum + std::log1p(-longer) : sum;
  }

  llama_model_ptr model_;
  const llama_vocab* vocab_ = nullptr;
  std::unique_ptr<engine::Tokenizer> tokenizer_;
  std::unique_ptr<engine::ChatTemplate> chat_template_;
};

}  // namespace selene::testing
