// How much memory an encoder of the BERT family takes on oneDNN, from its shape alone.
#pragma once

#include <cstdint>

#include "encoder/matmul.h"
#include "engine/model_facts.h"

namespace tinyarms::encoder {

struct EncoderMemory {
  uint64_t weight_bytes = 0;      // packed matrices, biases, positions
  uint64_t compute_bytes = 0;     // each thread's blocks, and a pack of texts for each thread
  uint64_t vocabulary_bytes = 0;  // the tokenizer's pieces and their table
  uint64_t mapped_bytes = 0;      // rows of words, read in the mapped file as they are needed
  uint64_t total() const {
    return weight_bytes + compute_bytes + vocabulary_bytes + mapped_bytes;
  }
};

// True where load_text_encoder would choose oneDNN for such a model, on this machine.
bool runs_on_onednn(const engine::ModelFacts& facts);

// `threads` 0: every core. The words count in single precision unless `facts` has the file's own
// number of bytes, which says how they are stored.
EncoderMemory plan_encoder(const engine::ModelFacts& facts, Precision precision, int threads);

}  // namespace tinyarms::encoder
