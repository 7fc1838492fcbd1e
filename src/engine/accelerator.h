// Faster kernels for llama.cpp's graphs on a CPU, which it finds as an accelerator device, the way
// it finds a BLAS (ggml-backend-impl.h): attention (engine/attention.h) and, where the CPU has
// AVX-512 VNNI, products with Q8_0 weights (engine/q8_product.h). All else stays with ggml.
#pragma once

namespace selene::engine {

// False with a libllama of the system, whose device interface need not be the one known here.
bool has_accelerator();

// Once a process, before a model is loaded. A context uses it for layers that are on the CPU.
void register_accelerator();

}  // namespace selene::engine
