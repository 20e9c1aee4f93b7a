#include "engine/llama_backend.h"

#include <log.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace tinyarms::engine {
namespace {

constexpr size_t kLastWordsMax = 600;
// Below every level of llama.cpp's `common` logger.
constexpr int kLogNothing = -1000;

thread_local std::string recorded;
thread_local bool recording = false;  // whether the line that is being continued is kept

void record(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_CONT) {
    recording = level == GGML_LOG_LEVEL_ERROR || level == GGML_LOG_LEVEL_WARN;
  }
  if (recording && recorded.size() < kLastWordsMax) recorded += text;
}

// "llama_model_load: error loading model: …\n" → "error loading model: …"
std::string_view without_function_name(std::string_view line) {
  const size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return line;
  const std::string_view name = line.substr(0, colon);
  const bool is_name = name.find(' ') == std::string_view::npos;
  return is_name ? line.substr(colon + 2) : line;
}

}  // namespace

void prepare_backend() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(record, nullptr);
    common_log_set_verbosity_thold(kLogNothing);
    llama_backend_init();
  });
}

void forget_last_words() { recorded.clear(); }

std::string last_words() {
  std::string words;
  std::string_view rest = recorded;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) continue;
    if (!words.empty()) words += "; ";
    words += without_function_name(line);
  }
  return words;
}

int resolve_threads(int threads) {
  const int wanted =
      threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(wanted, 1, GGML_MAX_N_THREADS);
}

std::vector<llama_token> tokenize_text(const llama_vocab* vocabulary, std::string_view text,
                                       TokenizeOptions options) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw std::length_error("the text is too long for the tokenizer");
  }
  std::vector<llama_token> tokens(text.size() / 2 + 16);
  const auto attempt = [&] {
    return llama_tokenize(vocabulary, text.data(), static_cast<int32_t>(text.size()),
                          tokens.data(), static_cast<int32_t>(tokens.size()), options.special,
                          options.markup);
  };
  int32_t count = attempt();
  if (count == std::numeric_limits<int32_t>::min()) {
    throw std::length_error("the text is too long for the tokenizer");
  }
  if (count < 0) {
    tokens.resize(static_cast<size_t>(-count));
    count = attempt();
  }
  tokens.resize(static_cast<size_t>(std::max(count, 0)));
  return tokens;
}

void append_piece(const llama_vocab* vocabulary, llama_token token, std::string& bytes) {
  const size_t before = bytes.size();
  bytes.resize(before + 64);
  const auto attempt = [&] {
    return llama_token_to_piece(vocabulary, token, bytes.data() + before,
                                static_cast<int32_t>(bytes.size() - before), 0, false);
  };
  int32_t length = attempt();
  if (length < 0) {
    bytes.resize(before + static_cast<size_t>(-length));
    length = attempt();
  }
  bytes.resize(before + static_cast<size_t>(std::max(length, 0)));
}

}  // namespace tinyarms::engine
