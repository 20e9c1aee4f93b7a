// An encoder on trial against another: the same queries over the same documents, ranked as
// `tinyarms search` ranks them. A query counts as right where what it looks for is among the first
// three: nDCG@10 of one half with one relevant document.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/retrieval.h"
#include "eval/statistics.h"
#include "eval/trial.h"

namespace tinyarms::eval {

struct EncoderSide {
  std::vector<double> ndcg10;  // by query
  uint64_t texts = 0;          // embedded, documents and queries
  double seconds = 0;          // of the encoder alone
};

// `embed` is timed. Errors: those of RetrievalRun.
Result<EncoderSide> measure_encoder(const RetrievalSet& set, const EmbedTexts& embed,
                                    const corpus::FusionWeights& weights);

// So many queries, evenly spread; 0: all. All documents stay.
void thin_queries(RetrievalSet& set, size_t limit);

struct EncoderComparison {
  TrialTask task;  // of right and wrong: what the verdict is of
  Paired ndcg10;   // the means, and the interval of their difference
};
// Both sides have the queries of one set.
EncoderComparison compare_encoders(const EncoderSide& in_use, const EncoderSide& on_trial);

}  // namespace tinyarms::eval
