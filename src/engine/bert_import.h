// A BERT-family encoder or cross-encoder as sentence-transformers publishes it (safetensors +
// vocab.txt + config.json in a folder) → GGUF with a WordPiece vocabulary and its pooling, as
// libllama reads it. Names and layout of tensors: the GGUF specification and BERT (Devlin et al.
// 2018). MPNet (Song et al. 2020) becomes a file of the architecture "mpnet", which libllama
// refuses: BERT's names, no token types, and "attn_rel_b.weight" (buckets × heads) for all layers.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace tinyarms::engine {

enum class EncoderType { F32, F16, Q8_0 };  // of the matrices; norms and biases stay F32

// Writes `destination` whole or not at all. Errors: NotFound (which file of the folder), Corrupt
// (safetensors header, offsets, shapes that contradict the config), Unsupported (another
// architecture, a vocabulary that is not WordPiece).
Result<void> import_bert(const std::filesystem::path& folder,
                         const std::filesystem::path& destination, EncoderType type);

}  // namespace tinyarms::engine
