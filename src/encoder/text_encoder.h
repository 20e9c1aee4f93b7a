// Text → unit vector by whatever suits the model's file: encoders of the BERT family on oneDNN,
// everything else, and BERT where oneDNN is not installed, through libllama.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.h"
#include "encoder/matmul.h"
#include "engine/embedder.h"

namespace tinyarms::encoder {

struct TextEncoderOptions {
  int threads = 0;  // 0: every core
  // Of the BERT family. Default: BF16 where the processor computes in it, else F32.
  std::optional<Precision> precision = {};
};

// Errors: those of engine::Embedder::load; Unsupported where this processor does not compute in the
// precision asked for.
Result<std::unique_ptr<engine::Embedder>> load_text_encoder(const std::filesystem::path& path,
                                                            const TextEncoderOptions& options);

// The same for the BERT family only. Errors: also Unsupported for any other model, and where oneDNN
// is not installed.
Result<std::unique_ptr<engine::Embedder>> load_bert(const std::filesystem::path& path,
                                                    const TextEncoderOptions& options);

}  // namespace tinyarms::encoder
