#include "model/weights.h"

#include <system_error>

#include "core/error.h"
#include "model/gguf_weights.h"
#include "model/huggingface_weights.h"

namespace selene::model {

std::unique_ptr<Weights> open_weights(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::is_directory(path, failure) ? open_huggingface_weights(path)
                                                      : open_gguf_weights(path);
}

}  // namespace selene::model
