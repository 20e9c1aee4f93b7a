// Every signal that is measured apart from the generation pass. A new one is a file under measures/
// and a line in each list here.
#pragma once

#include <span>
#include <string_view>

#include "signals/signal.h"

namespace tinyarms::signals {

// One a file under measures/, cheapest first.
extern const Signal kQuestionWords;
extern const Signal kQuestionCode;
extern const Signal kQuestionNumbers;
extern const Signal kIntentMargin;
extern const Signal kIntentCode;
extern const Signal kAnswerEcho;
extern const Signal kExamplesPass;
extern const Signal kCompiles;
extern const Signal kSelfVerification;
extern const Signal kNextVerification;
extern const Signal kSelfAgreement;

std::span<const Signal* const> all_signals();
const Signal* find_signal(std::string_view name);  // null where there is none

}  // namespace tinyarms::signals
