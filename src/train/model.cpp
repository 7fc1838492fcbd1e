#include "train/model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/record_function.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "train/kernels.h"
#include "train/projection.h"

namespace selene::train {
namespace {

constexpr std::int64_t kHeadRows = 128;  // Targets whose logits are there at a time.

// Names the time until the end of the block to who listens (LibTorch's profiler, bench/train
// where).
#define SELENE_PART(name) RECORD_FUNCTION("selene::" name, std::vector<c10::IValue>())

// A matrix that is several of the file's, one below the other.
struct Part {
  std::string name;
  std::int64_t rows = 0;
};

std::int64_t rows_of(const std::vector<Part>& parts) {
  std::int64_t rows = 0;
  for (const Part& part : parts) rows += part.rows;
  return rows;
}

// Numbers of a normal distribution (Box and Muller 1958).
void fill_normal(std::uint64_t seed, double deviation, at::Tensor& to) {
  Random random(seed);
  const at::Tensor numbers = at::empty({to.numel()}, at::kDouble);
  double* x = numbers.data_ptr<double>();
  for (std::int64_t i = 0; i < to.numel(); ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    x[i] = deviation * radius * std::cos(2 * std::numbers::pi * random.uniform());
  }
  to.copy_(numbers.view(to.sizes()));
}

template <typename G>
class Llama final : public Model {
 public:
  using A = Compute<G>;

  Llama(const model::Weights& weights, const ModelSettings& settings)
      : config_(weights.config()), settings_(settings) {
    load(weights);
    collect();
  }

  const model::LlamaConfig& config() const override { return config_; }
  const std::vector<Parameter>& parameters() const override { return parameters_; }

  std::vector<double> log_probabilities(const Row& row, bool keep) override {
    begin_row(row);
    saved_.clear();
    at::Tensor x = embedded(row);
    for (Layer& layer : layers_) {
      Saved saved;
      forward(layer, x, saved, keep && !recomputes());
      if (keep) saved_.push_back(std::move(saved));
    }
    return head(row, x, keep);
  }

  void backward(const Row& row, std::span<const double> coefficients) override {
    ensure(saved_.size() == layers_.size(), "backward without a kept way forward");
    at::Tensor d_x = head_backward(row, coefficients);
    for (std::size_t l = layers_.size(); l-- > 0;) {
      if (recomputes()) {
        at::Tensor x = saved_[l].input;
        forward(layers_[l], x, saved_[l], true);
      }
      layer_backward(layers_[l], saved_[l], d_x);
      saved_[l] = {};
    }
    saved_.clear();
    if (!embedding_gradient_.defined() || settings_.lora) return;
    embedding_gradient_.index_add_(0, tokens_of(row), d_x);
  }

  at::Tensor logits(const Row& row) override {
    begin_row(row);
    at::Tensor x = embedded(row);
    for (Layer& layer : layers_) {
      Saved saved;
      forward(layer, x, saved, false);
    }
    at::Tensor inverse;
    return at::mm(norm_of<A>(x, final_norm_, inverse), output().t());
  }

  void use_adapters(bool on) override { adapters_ = on; }

  void refresh() override {
    for (Layer& layer : layers_)
      for (Projection<G>* projection : layer.projections()) projection->refresh();
  }

  void read(const std::string& name, bool merged, std::span<float> out) const override {
    const at::Tensor value = find(name, merged).to(at::kFloat).contiguous();
    ensure(static_cast<std::size_t>(value.numel()) == out.size(), "a weight of another size");
    std::copy_n(value.template data_ptr<float>(), out.size(), out.begin());
  }

  std::optional<model::LoraAdapter> adapter() const override {
    if (!settings_.lora) return {};
    model::LoraAdapter adapter;
    adapter.rank = static_cast<std::uint64_t>(settings_.lora->rank);
    adapter.alpha = settings_.lora->alpha;
    for (const Layer& layer : layers_) {
      for (const Projection<G>* projection : layer.projections()) {
        for (const auto& lora : projection->loras()) {
          const auto floats = [](const at::Tensor& from) {
            const at::Tensor numbers = from.to(at::kFloat).contiguous();
            const float* first = numbers.template data_ptr<float>();
            return std::vector<float>(first, first + numbers.numel());
          };
          adapter.matrices.push_back({.name = lora.name,
                                      .in = static_cast<std::uint64_t>(lora.a.size(1)),
                                      .out = static_cast<std::uint64_t>(lora.rows),
                                      .a = floats(lora.a),
                                      .b = floats(lora.b)});
        }
      }
    }
    return adapter;
  }

  void set_adapter(const model::LoraAdapter& adapter) override {
    ensure(settings_.lora.has_value(), "an adapter for a model that is trained in full");
    std::size_t set = 0;
    for (Layer& layer : layers_) {
      for (Projection<G>* projection : layer.projections()) {
        for (auto& lora : projection->loras()) {
          const auto matrix =
              std::find_if(adapter.matrices.begin(), adapter.matrices.end(),
                           [&](const model::LoraMatrix& one) { return one.name == lora.name; });
          if (matrix == adapter.matrices.end()) continue;
          copy_into(matrix->a, lora.name, lora.a);
          copy_into(matrix->b, lora.name, lora.b);
          ++set;
        }
      }
    }
    if (set != adapter.matrices.size())
      throw Error("the adapter changes weights that this run does not train", "",
                  "give --lora-targets the weights that it has");
    refresh();
  }

 private:
  struct Layer {
    at::Tensor first_norm, second_norm;
    at::Tensor first_norm_gradient, second_norm_gradient;
    Projection<G> qkv, out, gate_up, down;

    std::vector<Projection<G>*> projections() { return {&qkv, &out, &gate_up, &down}; }
    std::vector<const Projection<G>*> projections() const { return {&qkv, &out, &gate_up, &down}; }
  };

  // What a layer's way back needs.
  struct Saved {
    at::Tensor input, first_inverse, qkv, attended, log_sums, middle, second_inverse, gate_up;
  };

  static at::TensorOptions numbers() { return at::TensorOptions().dtype(scalar_type<A>()); }
  static std::int64_t size(std::uint64_t number) { return static_cast<std::int64_t>(number); }
  static A* data(const at::Tensor& x) { return x.data_ptr<A>(); }
  static G* data_g(const at::Tensor& x) { return x.data_ptr<G>(); }

  // --- Weights ---------------------------------------------------------------------------------

  at::Tensor matrix(const model::Weights& weights, const std::vector<Part>& parts,
                    std::int64_t columns) const {
    at::Tensor all = at::empty({rows_of(parts), columns}, at::kFloat);
    float* to = all.data_ptr<float>();
    for (const Part& part : parts) {
      weights.read(part.name, {to, static_cast<std::size_t>(part.rows * columns)});
      to += part.rows * columns;
    }
    return all.to(scalar_type<A>());
  }
  at::Tensor vector(const model::Weights& weights, const std::string& name) const {
    return matrix(weights, {{name, 1}}, size(config_.width)).view({size(config_.width)});
  }

  Projection<G> projection(const model::Weights& weights, const std::vector<Part>& parts,
                           std::int64_t columns) const {
    Projection<G> made(matrix(weights, parts, columns), !settings_.lora);
    if (!settings_.lora) return made;
    const LoraSettings& lora = *settings_.lora;
    std::int64_t begin = 0;
    for (const Part& part : parts) {
      if (std::any_of(lora.targets.begin(), lora.targets.end(), [&](const std::string& target) {
            return part.name.find("." + target + ".") != std::string::npos;
          })) {
        typename Projection<G>::Lora one;
        one.name = part.name;
        one.begin = begin;
        one.rows = part.rows;
        one.scale = lora.alpha / static_cast<double>(lora.rank);
        one.a = at::empty({lora.rank, columns}, numbers());
        one.b = at::zeros({part.rows, lora.rank}, numbers());
        // As PEFT begins (kaiming_uniform of a = sqrt(5)) in its deviation; B is 0, so the first
        // step is from the base model.
        fill_normal(derive_seed(settings_.seed, part.name),
                    1 / std::sqrt(3.0 * static_cast<double>(columns)), one.a);
        one.a_gradient = at::zeros_like(one.a);
        one.b_gradient = at::zeros_like(one.b);
        made.add_lora(std::move(one));
      }
      begin += part.rows;
    }
    return made;
  }

  void load(const model::Weights& weights) {
    const std::int64_t width = size(config_.width);
    const std::int64_t head = size(config_.head_size);
    const std::int64_t wide = size(config_.feed_forward);
    const bool trained = !settings_.lora;
    embedding_ = matrix(weights, {{"model.embed_tokens.weight", size(config_.vocabulary)}}, width);
    final_norm_ = vector(weights, "model.norm.weight");
    if (!config_.tied_embeddings)
      output_ = matrix(weights, {{"lm_head.weight", size(config_.vocabulary)}}, width);
    if (trained) {
      embedding_gradient_ = at::zeros_like(embedding_);
      final_norm_gradient_ = at::zeros_like(final_norm_);
      if (output_.defined()) output_gradient_ = at::zeros_like(output_);
    }
    for (std::uint64_t l = 0; l < config_.layers; ++l) {
      const std::string in = fmt::format("model.layers.{}.", l);
      Layer layer;
      layer.first_norm = vector(weights, in + "input_layernorm.weight");
      layer.second_norm = vector(weights, in + "post_attention_layernorm.weight");
      if (trained) {
        layer.first_norm_gradient = at::zeros_like(layer.first_norm);
        layer.second_norm_gradient = at::zeros_like(layer.second_norm);
      }
      layer.qkv = projection(weights,
                             {{in + "self_attn.q_proj.weight", size(config_.heads) * head},
                              {in + "self_attn.k_proj.weight", size(config_.kv_heads) * head},
                              {in + "self_attn.v_proj.weight", size(config_.kv_heads) * head}},
                             width);
      layer.out = projection(weights, {{in + "self_attn.o_proj.weight", width}},
                             size(config_.heads) * head);
      layer.gate_up = projection(
          weights, {{in + "mlp.gate_proj.weight", wide}, {in + "mlp.up_proj.weight", wide}}, width);
      layer.down = projection(weights, {{in + "mlp.down_proj.weight", width}}, wide);
      layers_.push_back(std::move(layer));
    }
  }

  // The names of the file, each with the part of our matrices that it is.
  template <typename Visit>
  void each_weight(const Visit& visit) const {
    const std::int64_t head = size(config_.head_size);
    const std::int64_t queries = size(config_.heads) * head;
    const std::int64_t keys = size(config_.kv_heads) * head;
    const std::int64_t wide = size(config_.feed_forward);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      const std::string in = fmt::format("model.layers.{}.", l);
      visit(in + "self_attn.q_proj.weight", layer.qkv, std::int64_t{0}, queries);
      visit(in + "self_attn.k_proj.weight", layer.qkv, queries, keys);
      visit(in + "self_attn.v_proj.weight", layer.qkv, queries + keys, keys);
      visit(in + "self_attn.o_proj.weight", layer.out, std::int64_t{0}, size(config_.width));
      visit(in + "mlp.gate_proj.weight", layer.gate_up, std::int64_t{0}, wide);
      visit(in + "mlp.up_proj.weight", layer.gate_up, wide, wide);
      visit(in + "mlp.down_proj.weight", layer.down, std::int64_t{0}, size(config_.width));
    }
  }

  void collect() {
    parameters_.clear();
    if (settings_.lora) {
      for (Layer& layer : layers_) {
        for (Projection<G>* projection : layer.projections()) {
          for (auto& lora : projection->loras()) {
            parameters_.push_back({lora.name + ".lora_A", lora.a, lora.a_gradient, true});
            parameters_.push_back({lora.name + ".lora_B", lora.b, lora.b_gradient, true});
          }
        }
      }
      if (parameters_.empty())
        throw Error("no weight has an adapter", "",
                    "targets are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
      return;
    }
    parameters_.push_back({"model.embed_tokens.weight", embedding_, embedding_gradient_, true});
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      const std::string in = fmt::format("model.layers.{}.", l);
      parameters_.push_back(
          {in + "input_layernorm.weight", layer.first_norm, layer.first_norm_gradient, false});
      parameters_.push_back({in + "post_attention_layernorm.weight", layer.second_norm,
                             layer.second_norm_gradient, false});
    }
    each_weight([&](const std::string& name, const Projection<G>& projection, std::int64_t begin,
                    std::int64_t rows) {
      parameters_.push_back({name, projection.weight().narrow(0, begin, rows),
                             projection.gradient().narrow(0, begin, rows), true});
    });
    parameters_.push_back({"model.norm.weight", final_norm_, final_norm_gradient_, false});
    if (output_.defined())
      parameters_.push_back({"lm_head.weight", output_, output_gradient_, true});
  }

  at::Tensor find(const std::string& name, bool merged) const {
    if (name == "model.embed_tokens.weight") return embedding_;
    if (name == "model.norm.weight") return final_norm_;
    if (name == "lm_head.weight" && output_.defined()) return output_;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const std::string in = fmt::format("model.layers.{}.", l);
      if (name == in + "input_layernorm.weight") return layers_[l].first_norm;
      if (name == in + "post_attention_layernorm.weight") return layers_[l].second_norm;
    }
    at::Tensor found;
    each_weight([&](const std::string& known, const Projection<G>& projection, std::int64_t begin,
                    std::int64_t rows) {
      if (known != name) return;
      found = projection.values().narrow(0, begin, rows);
      if (!merged) return;
      for (const auto& lora : projection.loras()) {
        if (lora.name == name) found = found + lora.scale * at::mm(lora.b, lora.a);
      }
    });
    ensure(found.defined(), "a weight that the model does not have");
    return found;
  }

  static void copy_into(const std::vector<float>& from, const std::string& name, at::Tensor& to) {
    if (from.size() != static_cast<std::size_t>(to.numel()))
      throw Error(fmt::format("the adapter's {} has another size than this run's", name), "",
                  "give --lora-rank the rank that it has");
    float* values = const_cast<float*>(from.data());  // from_blob takes no const; it is only read.
    to.copy_(at::from_blob(values, to.sizes(), at::kFloat));
  }

  // --- Forward ---------------------------------------------------------------------------------

  static at::Tensor tokens_of(const Row& row) {
    at::Tensor tokens = at::empty({static_cast<std::int64_t>(row.tokens.size())}, at::kLong);
    std::copy(row.tokens.begin(), row.tokens.end(), tokens.data_ptr<std::int64_t>());
    return tokens;
  }

  at::Tensor embedded(const Row& row) const { return embedding_.index_select(0, tokens_of(row)); }
  const at::Tensor& output() const { return output_.defined() ? output_ : embedding_; }

  bool recomputes() const {
    return settings_.recompute || (settings_.most_kept > 0 && shape_.tokens > settings_.most_kept);
  }

  void begin_row(const Row& row) {
    layout_.emplace(row.segments);
    positions_.clear();
    std::int32_t longest = 0;
    for (const Segment& segment : row.segments) {
      for (std::int32_t t = segment.begin; t < segment.end; ++t)
        positions_.push_back(segment.position + t - segment.begin);
      longest = std::max(longest, segment.position + segment.end - segment.begin);
    }
    shape_ = {static_cast<std::int64_t>(row.tokens.size()), size(config_.heads),
              size(config_.kv_heads), size(config_.head_size)};
    if (longest > turned_) {
      turned_ = std::max(2 * turned_, longest);
      table_.emplace(model::rope_frequencies(config_), turned_);
    }
  }

  template <typename Out>
  at::Tensor norm_of(const at::Tensor& x, const at::Tensor& weight, at::Tensor& inverse) const {
    using Kernel = std::conditional_t<std::is_same_v<Out, A>, A, G>;
    at::Tensor y = at::empty(x.sizes(), at::TensorOptions().dtype(scalar_type<Kernel>()));
    inverse = at::empty({x.size(0)}, numbers());
    rms_norm<Kernel>(x.size(0), x.size(1), data(x), data(weight), config_.rms_epsilon,
                     y.data_ptr<Kernel>(), data(inverse));
    return y;
  }

  // x += y
  static void add_to(const at::Tensor& y, at::Tensor& x) { add<G>(y.numel(), data_g(y), data(x)); }

  // x becomes the layer's output.
  void forward(const Layer& layer, at::Tensor& x, Saved& saved, bool keep) const {
    at::Tensor first_inverse, second_inverse;
    at::Tensor qkv = layer.qkv.forward(norm_of<G>(x, layer.first_norm, first_inverse), adapters_);
    rope<G>(shape_, positions_.data(), *table_, false, data_g(qkv));
    at::Tensor attended = at::empty({shape_.tokens, shape_.width()}, qkv.options());
    at::Tensor log_sums = at::empty({shape_.heads, shape_.tokens}, numbers());
    {
      SELENE_PART("attention");
      attention<G>(shape_, *layout_, data_g(qkv), data_g(attended), data(log_sums));
    }
    const at::Tensor input = x;
    x = x.clone();
    add_to(layer.out.forward(attended, adapters_), x);
    const at::Tensor middle = x;
    at::Tensor gate_up =
        layer.gate_up.forward(norm_of<G>(x, layer.second_norm, second_inverse), adapters_);
    at::Tensor gated = at::empty({shape_.tokens, size(config_.feed_forward)}, gate_up.options());
    swiglu<G>(shape_.tokens, gated.size(1), data_g(gate_up), data_g(gated));
    const at::Tensor down = layer.down.forward(gated, adapters_);
    if (keep) {
      x = x.clone();
      saved = {input, first_inverse, qkv, attended, log_sums, middle, second_inverse, gate_up};
    } else {
      saved.input = input;
    }
    add_to(down, x);
  }

  // --- The head --------------------------------------------------------------------------------

  at::Tensor from_of(const Row& row) const {
    at::Tensor from = at::empty({static_cast<std::int64_t>(row.targets.size())}, at::kLong);
    for (std::size_t i = 0; i < row.targets.size(); ++i)
      from.data_ptr<std::int64_t>()[i] = row.targets[i].from;
    return from;
  }

  static std::vector<std::int64_t> target_tokens(const Row& row) {
    std::vector<std::int64_t> tokens;
    for (const Target& target : row.targets) tokens.push_back(target.token);
    return tokens;
  }

  // work(first target, count, their lines of `hidden`)
  template <typename Work>
  static void in_runs(const at::Tensor& hidden, const Work& work) {
    for (std::int64_t begin = 0; begin < hidden.size(0); begin += kHeadRows) {
      const std::int64_t count = std::min(kHeadRows, hidden.size(0) - begin);
      work(begin, count, hidden.narrow(0, begin, count));
    }
  }

  std::vector<double> head(const Row& row, const at::Tensor& x, bool keep) {
    SELENE_PART("head");
    const at::Tensor at_targets = x.index_select(0, from_of(row));
    at::Tensor inverse;
    const at::Tensor hidden = norm_of<A>(at_targets, final_norm_, inverse);
    const std::vector<std::int64_t> targets = target_tokens(row);
    std::vector<double> log_p(targets.size());
    in_runs(hidden, [&](std::int64_t begin, std::int64_t count, const at::Tensor& lines) {
      at::Tensor logits = at::mm(lines, output().t());
      log_softmax_at<A>(count, logits.size(1), targets.data() + begin, data(logits),
                        log_p.data() + begin);
    });
    if (keep) {
      head_input_ = at_targets;
      head_inverse_ = inverse;
      head_hidden_ = hidden;
    }
    return log_p;
  }

  // The gradient of the last layer's output.
  at::Tensor head_backward(const Row& row, std::span<const double> coefficients) {
    SELENE_PART("head");
    const std::vector<std::int64_t> targets = target_tokens(row);
    ensure(coefficients.size() == targets.size(), "as many coefficients as targets");
    at::Tensor d_hidden = at::empty_like(head_hidden_);
    const bool trained = !settings_.lora;
    at::Tensor gradient = output_.defined() ? output_gradient_ : embedding_gradient_;
    in_runs(head_hidden_, [&](std::int64_t begin, std::int64_t count, const at::Tensor& lines) {
      at::Tensor logits = at::mm(lines, output().t());
      std::vector<double> unused(static_cast<std::size_t>(count));
      log_softmax_at<A>(count, logits.size(1), targets.data() + begin, data(logits), unused.data());
      log_softmax_backward<A>(count, logits.size(1), targets.data() + begin,
                              coefficients.data() + begin, data(logits));
      at::Tensor d_lines = d_hidden.narrow(0, begin, count);
      at::mm_out(d_lines, logits, output());
      if (trained) gradient.addmm_(logits.t(), lines);
    });
    at::Tensor d_at_targets = at::zeros_like(head_input_);
    rms_norm_backward<A>(head_input_.size(0), head_input_.size(1), data(head_input_),
                         data(final_norm_), data(head_inverse_), data(d_hidden), data(d_at_targets),
                         trained ? data(final_norm_gradient_) : nullptr);
    at::Tensor d_x = at::zeros({shape_.tokens, size(config_.width)}, numbers());
    d_x.index_add_(0, from_of(row), d_at_targets);
    for (at::Tensor* kept : {&head_input_, &head_inverse_, &head_hidden_}) kept->reset();
    return d_x;
  }

  // --- Backward --------------------------------------------------------------------------------

  static at::Tensor as_g(const at::Tensor& x) {
    if constexpr (std::is_same_v<G, A>) return x;
    at::Tensor y = at::empty(x.sizes(), at::TensorOptions().dtype(scalar_type<G>()));
    convert<A, G>(x.numel(), data(x), data_g(y));
    return y;
  }

  // The gradient of a norm's input is added to d_x.
  void norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse,
                     const at::Tensor& d_y, at::Tensor& d_x, at::Tensor& d_weight) const {
    rms_norm_backward<G>(x.size(0), x.size(1), data(x), data(weight), data(inverse), data_g(d_y),
                         data(d_x), d_weight.defined() ? data(d_weight) : nullptr);
  }

  // d_x: the gradient of the layer's output becomes that of its input.
  void layer_backward(Layer& layer, Saved& saved, at::Tensor& d_x) {
    at::Tensor unused;
    {
      const at::Tensor d_out = as_g(d_x);
      const at::Tensor d_gated = layer.down.input_gradient(d_out);
      at::Tensor gated = at::empty_like(d_gated);
      at::Tensor& d_gate_up = saved.gate_up;
      swiglu_backward<G>(shape_.tokens, d_gated.size(1), data_g(d_gated), data_g(d_gate_up),
                         data_g(gated));
      layer.down.add_gradients(gated, d_out);
      const at::Tensor normed = norm_of<G>(saved.middle, layer.second_norm, unused);
      layer.gate_up.add_gradients(normed, d_gate_up);
      norm_backward(saved.middle, layer.second_norm, saved.second_inverse,
                    layer.gate_up.input_gradient(d_gate_up), d_x, layer.second_norm_gradient);
    }
    const at::Tensor d_out = as_g(d_x);
    layer.out.add_gradients(saved.attended, d_out);
    const at::Tensor d_attended = layer.out.input_gradient(d_out);
    at::Tensor d_qkv = at::empty_like(saved.qkv);
    {
      SELENE_PART("attention");
      attention_backward<G>(shape_, *layout_, data_g(saved.qkv), data_g(saved.attended),
                            data(saved.log_sums), data_g(d_attended), data_g(d_qkv));
    }
    rope<G>(shape_, positions_.data(), *table_, true, data_g(d_qkv));
    layer.qkv.add_gradients(norm_of<G>(saved.input, layer.first_norm, unused), d_qkv);
    norm_backward(saved.input, layer.first_norm, saved.first_inverse,
                  layer.qkv.input_gradient(d_qkv), d_x, layer.first_norm_gradient);
  }

  model::LlamaConfig config_;
  ModelSettings settings_;
  at::Tensor embedding_, embedding_gradient_, final_norm_, final_norm_gradient_, output_,
      output_gradient_;
  std::vector<Layer> layers_;
  std::vector<Parameter> parameters_;
  bool adapters_ = true;

  // Of the row that is being worked on.
  std::optional<BranchLayout> layout_;
  AttentionShape shape_;
  std::vector<std::int32_t> positions_;
  std::int32_t turned_ = 0;
  std::optional<RopeTable<A>> table_;
  std::vector<Saved> saved_;
  at::Tensor head_input_, head_inverse_, head_hidden_;
};

}  // namespace

Precision precision_from_name(const std::string& name) {
  for (const Precision precision : {Precision::F32, Precision::BF16, Precision::F64}) {
    if (name == name_of(precision)) return precision;
  }
  throw Error(fmt::format("there is no precision '{}'", cut_to_columns(name, 40)), "",
              "it is fp32, bf16 or fp64");
}

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::F32:
      return "fp32";
    case Precision::BF16:
      return "bf16";
    case Precision::F64:
      return "fp64";
  }
  return "";
}

std::unique_ptr<Model> make_model(const model::Weights& weights, const ModelSettings& settings) {
  const std::uint64_t head = weights.config().head_size;
  if (head % 16 != 0 || head > static_cast<std::uint64_t>(kMostHeadSize))
    throw Error(
        fmt::format("heads of {} numbers cannot be trained; their size must be a multiple "
                    "of 16, at most {}",
                    head, kMostHeadSize));
  switch (settings.precision) {
    case Precision::F32:
      return std::make_unique<Llama<float>>(weights, settings);
    case Precision::BF16:
      return std::make_unique<Llama<c10::BFloat16>>(weights, settings);
    case Precision::F64:
      return std::make_unique<Llama<double>>(weights, settings);
  }
  return nullptr;
}

}  // namespace selene::train
