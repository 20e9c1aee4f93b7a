// Rerankers by whatever suits the model's file: cross-encoders of the BERT family on oneDNN, every
// other model that pools into a rank through libllama; and late interaction, which needs no weights
// but those of an embedding model.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.h"
#include "encoder/text_encoder.h"
#include "engine/reranker.h"

namespace tinyarms::encoder {

// A score is the classifier's output (a logit). A pair is [CLS] query [SEP] passage [SEP], the
// second part of the second token type, the longer text cut first where both do not fit. Pairs of
// like length are computed together, without padding. Errors: those of engine::Reranker::load.
Result<std::unique_ptr<engine::Reranker>> load_cross_encoder(const std::filesystem::path& path,
                                                             const TextEncoderOptions& options);

// The same for the BERT family only. Errors: also Unsupported for any other model, and where oneDNN
// is not installed.
Result<std::unique_ptr<engine::Reranker>> load_bert_cross_encoder(
    const std::filesystem::path& path, const TextEncoderOptions& options);

// Late interaction over an embedding model's token vectors (ColBERT, Khattab and Zaharia 2020; here
// with a model that was not trained for it): a score is the mean over the query's tokens of the
// largest cosine with any token of the passage, −1 to 1. Special tokens do not count. Errors:
// Unsupported where the model is not of the BERT family or oneDNN is not installed.
Result<std::unique_ptr<engine::Reranker>> load_late_interaction(const std::filesystem::path& path,
                                                                const TextEncoderOptions& options);

}  // namespace tinyarms::encoder
