#include "questions/phrases.h"

#include <fmt/format.h>

namespace tinyarms::questions {
namespace {

struct Phrase {
  std::string_view name;
  std::string_view regex;
};

constexpr Phrase kPhrases[] = {
    // "how do I …", "the command to …": what follows is a verb.
    {"how", "(?:how (?:do i|do you|do we|does one|can i|can you|can we|can one|would i|would you|"
            "could i|should i|to)|show me how to|"
            "(?:what(?:'s| is) |show me |give me )?(?:the|a) "
            "(?:shell |bash |git |linux |unix |terminal )?command to)"},
    {"what", "what(?:'s| is| are)"},
    // "what is the …", "show the …", or the bare noun.
    {"find", "(?:what(?:'s| is| are) (?:the |an? )?|find (?:the )?|calculate (?:the )?|"
             "compute (?:the )?|give me (?:the |an? )?|show (?:me )?(?:the )?|get (?:the )?|"
             "the )?"},
    {"meaning", "(?:what(?:'s| is| are| does| do) (?:the )?(?:meaning of (?:the )?)?|"
                "explain (?:the )?|define (?:the )?|describe (?:the )?|meaning of (?:the )?)"},
    {"mean", "(?: (?:mean|do|stand for|indicate|signify|represent)s?)?"},
    {"convert", "(?:convert |change |turn |translate |express |write |what(?:'s| is) |"
                "how do (?:i|you) (?:convert|write) )"},
    {"into", "(?:to|into|in|as)"},
    {"shell", "(?: (?:in|on|with|from|using) (?:a |the )?(?:linux|bash|unix|shell|zsh|terminal|"
              "command line|macos and linux)(?: shell| terminal| command line)?)?"},
    {"git", "(?: (?:in|with|using|from) git)?"},
    {"quote", "[\"'“”‘’`]"},
};

}  // namespace

Result<std::string> expand_phrases(std::string_view regex) {
  std::string result;
  while (!regex.empty()) {
    const size_t at = std::min(regex.find("%{"), regex.size());
    result.append(regex.substr(0, at));
    regex.remove_prefix(at);
    if (regex.empty()) break;
    const size_t close = regex.find('}');
    const std::string_view name = regex.substr(2, close == regex.npos ? close : close - 2);
    const Phrase* found = nullptr;
    for (const Phrase& phrase : kPhrases) {
      if (phrase.name == name) found = &phrase;
    }
    if (close == regex.npos || found == nullptr) {
      return Error{ErrorCode::Config,
                   fmt::format("unknown phrase '%{{{}}}'; there are {}", name,
                               fmt::join(phrase_names(), ", ")),
                   "", "see docs/rules.md for the phrases"};
    }
    result.append(found->regex);
    regex.remove_prefix(close + 1);
  }
  return result;
}

std::vector<std::string_view> phrase_names() {
  std::vector<std::string_view> names;
  for (const Phrase& phrase : kPhrases) names.push_back(phrase.name);
  return names;
}

}  // namespace tinyarms::questions
