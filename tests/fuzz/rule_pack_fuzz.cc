// Any bytes as a rule pack: wrong rules are told of, the others answer.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "questions/question_engine.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string pack(reinterpret_cast<const char*>(data), size);
  const std::vector<tinyarms::EmbeddedFile> packs = {{"fuzzed.yaml", pack}};
  const auto engine = tinyarms::questions::QuestionEngine::load(packs);
  (void)engine.answer("What is 2+3?");
  return 0;
}
