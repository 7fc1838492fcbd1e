#include "engine/accelerator.h"

#include <cstring>
#include <memory>
#include <mutex>

#include <ggml-backend-impl.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>

#include "engine/attention.h"
#include "engine/q8_product.h"

namespace selene::engine {
namespace {

constexpr const char* kName = "selene";

struct Backend {
  int threads = 1;
  std::vector<std::vector<float>> attention;
  Q8Scratch product;
};

bool attends(const ggml_tensor* op) {
  const ggml_tensor* q = op->src[0];
  const ggml_tensor* k = op->src[1];
  const ggml_tensor* v = op->src[2];
  const ggml_tensor* mask = op->src[3];
  const bool types = q->type == GGML_TYPE_F32 && k->type == GGML_TYPE_F16 &&
                     v->type == GGML_TYPE_F16 && op->type == GGML_TYPE_F32;
  const bool sizes = k->ne[0] % kHeadStep == 0 && v->ne[0] % kHeadStep == 0 &&
                     k->ne[2] == v->ne[2] && q->ne[2] % k->ne[2] == 0 && k->ne[3] == q->ne[3] &&
                     v->ne[3] == q->ne[3];
  const bool rows = q->nb[0] == sizeof(float) && k->nb[0] == sizeof(ggml_fp16_t) &&
                    v->nb[0] == sizeof(ggml_fp16_t) && ggml_is_contiguous(op);
  const bool masked = mask == nullptr || (mask->type == GGML_TYPE_F16 && mask->ne[2] == 1 &&
                                          (mask->ne[3] == 1 || mask->ne[3] == q->ne[3]));
  return types && sizes && rows && masked;
}

bool multiplies(const ggml_tensor* op) {
  const ggml_tensor* weights = op->src[0];
  const ggml_tensor* x = op->src[1];
  const bool types =
      weights->type == GGML_TYPE_Q8_0 && x->type == GGML_TYPE_F32 && op->type == GGML_TYPE_F32;
  const bool sizes = weights->ne[0] % kQ8Block == 0 && weights->ne[1] % kQ8PanelRows == 0 &&
                     ggml_nrows(weights) == weights->ne[1] && ggml_nrows(x) == x->ne[1];
  const bool plain = ggml_is_contiguous(weights) && x->nb[0] == sizeof(float) &&
                     ggml_is_contiguous(op) && op->op_params[1] != GGML_HINT_SRC0_IS_HADAMARD;
  return has_q8_product() && types && sizes && plain;
}

bool supports(ggml_backend_dev_t, const ggml_tensor* op) {
  switch (op->op) {
    case GGML_OP_NONE:
    case GGML_OP_RESHAPE:
    case GGML_OP_VIEW:
    case GGML_OP_PERMUTE:
    case GGML_OP_TRANSPOSE:
      return true;
    case GGML_OP_FLASH_ATTN_EXT:
      return attends(op);
    case GGML_OP_MUL_MAT:
      return multiplies(op);
    default:
      return false;
  }
}

Q8ProductInput product_of(const ggml_tensor* op) {
  const ggml_tensor* weights = op->src[0];
  const ggml_tensor* x = op->src[1];
  Q8ProductInput in;
  in.depth = weights->ne[0];
  in.rows = weights->ne[1];
  in.columns = x->ne[1];
  in.weights = static_cast<const char*>(weights->data);
  in.weights_row = static_cast<std::int64_t>(weights->nb[1]);
  in.x = static_cast<const char*>(x->data);
  in.x_column = static_cast<std::int64_t>(x->nb[1]);
  in.out = static_cast<char*>(op->data);
  in.out_column = static_cast<std::int64_t>(op->nb[1]);
  return in;
}

AttentionInput attention_of(const ggml_tensor* op) {
  const ggml_tensor* q = op->src[0];
  const ggml_tensor* k = op->src[1];
  const ggml_tensor* v = op->src[2];
  const ggml_tensor* mask = op->src[3];
  const auto bytes = [](size_t stride) { return static_cast<std::int64_t>(stride); };
  AttentionInput in;
  in.key_size = k->ne[0];
  in.value_size = v->ne[0];
  in.queries = q->ne[1];
  in.keys = k->ne[1];
  in.heads = q->ne[2];
  in.key_heads = k->ne[2];
  in.streams = q->ne[3];
  in.q = static_cast<const char*>(q->data);
  in.q_query = bytes(q->nb[1]), in.q_head = bytes(q->nb[2]), in.q_stream = bytes(q->nb[3]);
  in.k = static_cast<const char*>(k->data);
  in.k_key = bytes(k->nb[1]), in.k_head = bytes(k->nb[2]), in.k_stream = bytes(k->nb[3]);
  in.v = static_cast<const char*>(v->data);
  in.v_key = bytes(v->nb[1]), in.v_head = bytes(v->nb[2]), in.v_stream = bytes(v->nb[3]);
  if (mask != nullptr) {
    in.mask = static_cast<const char*>(mask->data);
    in.mask_query = bytes(mask->nb[1]);
    in.mask_stream = mask->ne[3] == 1 ? 0 : bytes(mask->nb[3]);
  }
  if (op->src[4] != nullptr) in.sinks = static_cast<const float*>(op->src[4]->data);
  in.out = static_cast<float*>(op->data);
  float params[3];
  std::memcpy(params, op->op_params, sizeof params);
  in.scale = params[0];
  in.max_alibi = params[1];
  in.softcap = params[2];
  return in;
}

ggml_status compute(ggml_backend_t backend, ggml_cgraph* graph) {
  auto* own = static_cast<Backend*>(backend->context);
  for (int i = 0; i < ggml_graph_n_nodes(graph); ++i) {
    const ggml_tensor* node = ggml_graph_node(graph, i);
    if (node->op == GGML_OP_FLASH_ATTN_EXT) {
      attend(attention_of(node), own->threads, own->attention);
    } else if (node->op == GGML_OP_MUL_MAT) {
      q8_product(product_of(node), own->threads, own->product);
    }
  }
  return GGML_STATUS_SUCCESS;
}

void set_threads(ggml_backend_t backend, int threads) {
  static_cast<Backend*>(backend->context)->threads = threads;
}

const char* backend_name(ggml_backend_t) { return kName; }
const char* device_name(ggml_backend_dev_t) { return kName; }
const char* device_description(ggml_backend_dev_t) {
  return "attention and Q8_0 products of selene";
}
const char* reg_name(ggml_backend_reg_t) { return kName; }

void free_backend(ggml_backend_t backend) {
  const std::unique_ptr<ggml_backend> own(backend);
  delete static_cast<Backend*>(backend->context);
}

ggml_backend_t init_backend(ggml_backend_dev_t device, const char*) {
  static ggml_guid guid = {0x73, 0x65, 0x6c, 0x65, 0x6e, 0x65, 0x2d, 0x61,
                           0x74, 0x74, 0x65, 0x6e, 0x74, 0x69, 0x6f, 0x6e};
  ggml_backend_i interface {};
  interface.get_name = backend_name;
  interface.free = free_backend;
  interface.graph_compute = compute;
  return std::make_unique<ggml_backend>(
             ggml_backend{&guid, interface, device, std::make_unique<Backend>().release()})
      .release();
}

void memory(ggml_backend_dev_t, size_t* free, size_t* total) { *free = *total = 0; }
enum ggml_backend_dev_type device_type(ggml_backend_dev_t) {
  return GGML_BACKEND_DEVICE_TYPE_ACCEL;
}
ggml_backend_buffer_type_t buffer_type(ggml_backend_dev_t) {
  return ggml_backend_cpu_buffer_type();
}
bool supports_buffer(ggml_backend_dev_t, ggml_backend_buffer_type_t type) {
  return ggml_backend_buft_is_host(type);
}
void properties(ggml_backend_dev_t device, ggml_backend_dev_props* props) {
  *props = {};
  props->name = device_name(device);
  props->description = device_description(device);
  props->type = device_type(device);
}

size_t device_count(ggml_backend_reg_t) { return 1; }
ggml_backend_dev_t device(ggml_backend_reg_t reg, size_t) {
  static ggml_backend_device own = [reg] {
    ggml_backend_device made{};
    made.iface.get_name = device_name;
    made.iface.get_description = device_description;
    made.iface.get_memory = memory;
    made.iface.get_type = device_type;
    made.iface.get_props = properties;
    made.iface.init_backend = init_backend;
    made.iface.get_buffer_type = buffer_type;
    made.iface.supports_op = supports;
    made.iface.supports_buft = supports_buffer;
    made.reg = reg;
    return made;
  }();
  return &own;
}
void* proc_address(ggml_backend_reg_t, const char* name) {
  if (std::strcmp(name, "ggml_backend_set_n_threads") != 0) return nullptr;
  return reinterpret_cast<void*>(set_threads);
}

}  // namespace

bool has_accelerator() { return SELENE_ACCELERATOR != 0; }

void register_accelerator() {
  if (!has_accelerator()) return;
  static std::once_flag once;
  std::call_once(once, [] {
    static ggml_backend_reg reg{
        GGML_BACKEND_API_VERSION, {reg_name, device_count, device, proc_address}, nullptr};
    ggml_backend_register(&reg);
  });
}

}  // namespace selene::engine
