// Any text as a pattern, of any language and strictness.
#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/language.h"
#include "rules/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tinyarms::rules;
  if (size < 2) return 0;
  constexpr const char* kStrictness[] = {"cst", "smart", "ast", "relaxed", "signature", "template"};
  const Language& language = languages()[data[0] % languages().size()];
  const std::string pattern(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto rules = RuleSet::of_pattern({pattern, std::string(language.name), "",
                                          kStrictness[data[1] % 6], "<$A $$$B>"});
  if (!rules) return 0;
  Scratch scratch;
  ScanOptions options;
  options.language = &language;
  (void)scan(*rules, pattern, options, scratch);
  return 0;
}
