// A reward model with a classification head (engine/reward_model.h) as a scorer of conversations.
#pragma once

#include <memory>
#include <string>

#include "curate/reward_scorer.h"

namespace selene::curate {

// `model` is a GGUF file, a known name or hf:owner/repo/file.gguf. Of a model that reads pairs of
// texts (a reranker) the prompt is that of the last message. Throws Error where it is none of them
// or has no such head.
std::unique_ptr<ConversationScorer> head_scorer(const std::string& model, int threads);

}  // namespace selene::curate
