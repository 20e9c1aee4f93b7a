// Any bytes as a question to the bundled rules: the same question gets the same answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "questions/question_engine.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto engine = tinyarms::questions::QuestionEngine::bundled();
  const std::string_view question(reinterpret_cast<const char*>(data), size);
  const auto first = engine.answer(question);
  const auto second = engine.answer(question);
  if (first.has_value() != second.has_value()) std::abort();
  if (first && (first->answer.empty() || first->answer != second->answer)) std::abort();
  return 0;
}
