// What libllama needs once a process, and what it says when something goes wrong.
#pragma once

#include <llama-cpp.h>

#include <string>
#include <vector>

namespace tinyarms::engine {

// Initialises libllama and routes its log, and that of its chat templates, away from the terminal.
// Any number of times, from any thread.
void prepare_backend();

// What libllama logged as a warning or an error on this thread since `forget_last_words`, without
// its function names, on one line; at most a few hundred bytes.
void forget_last_words();
std::string last_words();

// 0 becomes the number of cores; never more than 512, which is what ggml takes.
int resolve_threads(int threads);

// Token ids of `text`. `markup`: texts of control tokens ("<|im_end|>") become those tokens.
// `special`: the model's begin and end tokens are put around it, as its vocabulary says.
// libllama's exceptions pass through: call it inside the adapter's try.
struct TokenizeOptions {
  bool special = false;
  bool markup = false;
};
std::vector<llama_token> tokenize_text(const llama_vocab* vocabulary, std::string_view text,
                                       TokenizeOptions options);

// The bytes that a token stands for; none for a control token.
void append_piece(const llama_vocab* vocabulary, llama_token token, std::string& bytes);

}  // namespace tinyarms::engine
