// What language a question is written in: by its script, and in Latin letters by its commonest
// words. Code in it (fences, `spans`, names with digits or underscores) is not looked at.
//
// Of one script one language is known, so that Persian passes for ar, Bulgarian for ru. A language
// of Latin letters that is not known here is mostly nothing, and so is a question of few words.
// docs/specialists.md says how often it is wrong.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tinyarms::intent {

// ISO 639-1, in no order.
std::span<const std::string_view> known_languages();

// Nothing where it cannot be told.
std::optional<std::string> language_of(std::string_view text);

}  // namespace tinyarms::intent
