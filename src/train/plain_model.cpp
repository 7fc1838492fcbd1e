#include "train/plain_model.h"

#include <cmath>

#include <fmt/format.h>
#include <torch/torch.h>

namespace selene::train {
namespace {

// Which tokens of the row each token sees: tokens x tokens.
torch::Tensor visible_of(const Row& row) {
  const auto tokens = static_cast<std::int64_t>(row.tokens.size());
  torch::Tensor sees = torch::zeros({tokens, tokens}, torch::kBool);
  auto at = sees.accessor<bool, 2>();
  const auto before = seen_before(row.segments);
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    const Segment& segment = row.segments[s];
    for (std::int64_t i = segment.begin; i < segment.end; ++i) {
      for (const Range& range : before[s])
        for (std::int64_t j = range.begin; j < range.end; ++j) at[i][j] = true;
      for (std::int64_t j = segment.begin; j <= i; ++j) at[i][j] = true;
    }
  }
  return sees;
}

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon) {
  return x * torch::rsqrt(x.pow(2).mean(-1, true) + epsilon) * weight;
}

torch::Tensor turned(const torch::Tensor& x, const torch::Tensor& cosines,
                     const torch::Tensor& sines) {
  const auto halves = x.chunk(2, -1);
  return torch::cat(
      {halves[0] * cosines - halves[1] * sines, halves[1] * cosines + halves[0] * sines}, -1);
}

}  // namespace

PlainModel::PlainModel(const model::Weights& weights, torch::ScalarType type, torch::Device device)
    : config_(weights.config()), options_(torch::TensorOptions().dtype(type).device(device)) {
  for (const model::WeightInfo& info : weights.tensors()) {
    const auto rows = static_cast<std::int64_t>(info.rows);
    const auto columns = static_cast<std::int64_t>(info.columns);
    torch::Tensor read = torch::empty({rows, columns}, torch::kFloat);
    weights.read(info.name, {read.data_ptr<float>(), static_cast<std::size_t>(rows * columns)});
    if (info.name.ends_with("norm.weight")) read = read.view({columns});
    weights_[info.name] = read.to(options_).requires_grad_();
  }
}

torch::Tensor PlainModel::hidden(const Row& row) const {
  const auto tokens = static_cast<std::int64_t>(row.tokens.size());
  const auto heads = static_cast<std::int64_t>(config_.heads);
  const auto kv_heads = static_cast<std::int64_t>(config_.kv_heads);
  const auto size = static_cast<std::int64_t>(config_.head_size);
  const double epsilon = config_.rms_epsilon;

  std::vector<std::int64_t> ids(row.tokens.begin(), row.tokens.end());
  std::vector<float> positions;
  for (const Segment& segment : row.segments)
    for (std::int32_t t = segment.begin; t < segment.end; ++t)
      positions.push_back(static_cast<float>(segment.position + t - segment.begin));
  const std::vector<float> frequencies = model::rope_frequencies(config_);
  const torch::Tensor angles = torch::outer(torch::tensor(positions), torch::tensor(frequencies));
  const torch::Tensor cosines = angles.to(options_).cos().unsqueeze(1);
  const torch::Tensor sines = angles.to(options_).sin().unsqueeze(1);
  const torch::Tensor hides =
      torch::zeros({tokens, tokens}, options_)
          .masked_fill(visible_of(row).logical_not().to(options_.device()), -INFINITY);

  torch::Tensor x =
      weight("model.embed_tokens.weight").index_select(0, torch::tensor(ids).to(options_.device()));
  for (std::uint64_t l = 0; l < config_.layers; ++l) {
    const std::string in = fmt::format("model.layers.{}.", l);
    const auto linear = [&](const torch::Tensor& from, const char* name) {
      return from.mm(weight(in + name + ".weight").t());
    };
    const torch::Tensor normed = rms_norm(x, weight(in + "input_layernorm.weight"), epsilon);
    const auto split = [&](const char* name, std::int64_t count) {
      return linear(normed, name).view({tokens, count, size});
    };
    const torch::Tensor q = turned(split("self_attn.q_proj", heads), cosines, sines);
    const torch::Tensor k = turned(split("self_attn.k_proj", kv_heads), cosines, sines)
                                .repeat_interleave(heads / kv_heads, 1);
    const torch::Tensor v =
        split("self_attn.v_proj", kv_heads).repeat_interleave(heads / kv_heads, 1);
    const torch::Tensor scores =
        torch::einsum("ihd,jhd->hij", {q, k}) / std::sqrt(static_cast<double>(size)) + hides;
    const torch::Tensor attended =
        torch::einsum("hij,jhd->ihd", {scores.softmax(-1), v}).reshape({tokens, heads * size});
    x = x + linear(attended, "self_attn.o_proj");
    const torch::Tensor second =
        rms_norm(x, weight(in + "post_attention_layernorm.weight"), epsilon);
    x = x + linear(torch::silu(linear(second, "mlp.gate_proj")) * linear(second, "mlp.up_proj"),
                   "mlp.down_proj");
  }
  return rms_norm(x, weight("model.norm.weight"), epsilon);
}

torch::Tensor PlainModel::logits(const Row& row) const {
  return hidden(row).mm(
      weight(config_.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight").t());
}

torch::Tensor PlainModel::log_probabilities(const Row& row) const {
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> tokens;
  for (const Target& target : row.targets) {
    from.push_back(target.from);
    tokens.push_back(target.token);
  }
  const auto on_device = [&](const std::vector<std::int64_t>& ids) {
    return torch::tensor(ids).to(options_.device());
  };
  return logits(row)
      .index_select(0, on_device(from))
      .log_softmax(-1)
      .gather(1, on_device(tokens).unsqueeze(1))
      .squeeze(1);
}

}  // namespace selene::train
