#include "intent/language.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "base/ascii.h"

namespace tinyarms::intent {
namespace {

constexpr size_t kBytesMax = 4096;  // a question's beginning says it
constexpr int kPointsMin = 3;       // so that no single word decides
constexpr int kLeadMin = 2;
constexpr double kScriptShareMin = 0.3;  // of the letters; names in it stay Latin

struct CommonWords {
  std::string_view language;
  std::string_view words;
};

// Those that stand in questions, too. No word of one ASCII letter: in texts about code and maths
// those are variables.
constexpr std::array<CommonWords, 7> kCommon = {{
    {"en", "the of and to in is that for it with as was on are this be by from or an which what "
           "how why when where who does do can could should would has have if then than not you "
           "your there these at all into its write over no me so plus come per am we they"},
    {"de", "der die das und ist ein eine einen einem einer eines nicht mit von zu den dem des auf "
           "für im in wie was warum wann wo wer welche welcher welches kann ich du sie es wird "
           "werden sind hat haben oder aus bei nach über wenn dass zwischen mir man gibt soll "
           "durch ohne um meine mein meinen alle sich so als an noch nur schreibe viele viel"},
    {"fr", "le la les un une des du de et est en que qui quoi quel quelle quels quelles comment "
           "pourquoi dans pour par sur avec ne pas plus ce cette il elle je tu nous vous au aux "
           "sont peut où quand entre se sans mon ma fait faire à ou qu combien tous toutes écris"},
    {"es", "¿ el la los las un una de del es en que qué cómo por para con no se su al lo como cuál "
           "cuáles cuándo dónde quién son está puede este esta entre sin más mi hay ser porque yo "
           "me cuánto cuántos cuántas todos todas escribe si desde sobre cada"},
    {"it", "il lo la gli le un uno una di del della dei delle è in che cosa come perché quando "
           "dove chi quale quali per con non si da dal al alla nel nella sono può questo "
           "questa tra su più mi ho ha senza qual quanto quanti quante tutti tutte scrivi se ogni"},
    {"pt", "os as um uma de do da dos das é em que como por para com não se no na nos nas ao qual "
           "quais quando onde quem são está pode este esta entre sem mais eu me meu minha foi "
           "porque quanto quantos quantas todos todas escreva cada seu sua pelo pela"},
    {"nl", "de het een en van is dat die in te op voor met niet hoe wat waarom wanneer waar wie "
           "welke kan ik je zijn wordt worden of uit bij naar over als tussen aan er deze dit om "
           "mijn zonder heb heeft moet alle hoeveel schrijf ze elk"},
}};

struct Script {
  std::string_view language;
  uint32_t first;
  uint32_t last;
};

constexpr std::array<Script, 11> kScripts = {{
    {"el", 0x0370, 0x03ff}, {"ru", 0x0400, 0x052f}, {"he", 0x0590, 0x05ff},
    {"ar", 0x0600, 0x06ff}, {"hi", 0x0900, 0x097f}, {"th", 0x0e00, 0x0e7f},
    {"ja", 0x3040, 0x30ff}, {"zh", 0x3400, 0x4dbf}, {"zh", 0x4e00, 0x9fff},
    {"ko", 0x1100, 0x11ff}, {"ko", 0xac00, 0xd7a3},
}};

constexpr std::array<std::string_view, 17> kKnown = {"en", "de", "fr", "es", "it", "pt",
                                                     "nl", "el", "ru", "uk", "he", "ar",
                                                     "hi", "th", "ja", "zh", "ko"};

// Ukrainian has letters that Russian has not.
bool is_ukrainian(uint32_t c) {
  return c == 0x0404 || c == 0x0406 || c == 0x0407 || c == 0x0454 || c == 0x0456 || c == 0x0457 ||
         c == 0x0490 || c == 0x0491;
}

// Without fenced blocks and `spans`.
std::string prose_of(std::string_view text) {
  std::string prose;
  bool fenced = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto begin = trimmed(line); begin.starts_with("```") || begin.starts_with("~~~")) {
      fenced = !fenced;
      continue;
    }
    if (fenced) continue;
    for (size_t at = line.find('`'); at != std::string_view::npos; at = line.find('`')) {
      const size_t close = line.find('`', at + 1);
      if (close == std::string_view::npos) break;
      prose += line.substr(0, at);
      prose += ' ';
      line.remove_prefix(close + 1);
    }
    prose += line;
    prose += '\n';
  }
  return prose;
}

// The next character and its length in bytes; what is no UTF-8 is passed over byte by byte.
std::pair<uint32_t, size_t> next_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80    ? 1
                        : lead >= 0xf0 ? 4
                        : lead >= 0xe0 ? 3
                        : lead >= 0xc0 ? 2
                                       : 0;
  if (length == 0 || length > text.size()) return {0, 1};
  uint32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3fU);
  return {code, length};
}

bool is_latin(uint32_t c) {
  return (c < 0x80 && is_ascii_letter(static_cast<char>(c))) ||
         (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7);
}

const Script* script_of(uint32_t c) {
  const auto found = std::find_if(kScripts.begin(), kScripts.end(), [&](const Script& script) {
    return c >= script.first && c <= script.last;
  });
  return found == kScripts.end() ? nullptr : &*found;
}

struct Letters {
  size_t latin = 0;
  std::map<std::string_view, size_t> others;  // by language
  size_t ukrainian = 0;
  std::vector<std::string> words;  // in Latin letters, lower case; "¿" for both turned marks
};

Letters letters_of(std::string_view text) {
  Letters letters;
  std::string word;
  bool name = false;  // rather than a word
  const auto end_word = [&] {
    if (!word.empty() && !name) letters.words.push_back(word);
    word.clear();
    name = false;
  };
  while (!text.empty()) {
    const auto [c, length] = next_character(text);
    if (is_latin(c)) {
      ++letters.latin;
      const bool capital = c >= 0xc0 && c <= 0xde;
      if (c < 0x80) word += lower_case(static_cast<char>(c));
      if (c >= 0x80) word += text.substr(0, length);
      if (capital) word.back() = static_cast<char>(word.back() + 0x20);
    } else if (c == '_' || (c >= '0' && c <= '9')) {
      name = true;
    } else if (c == '\\') {
      end_word();
      name = true;  // a command of LaTeX, an escape
    } else {
      end_word();
      if (const Script* script = script_of(c)) ++letters.others[script->language];
      if (is_ukrainian(c)) ++letters.ukrainian;
      if (c == 0xa1 || c == 0xbf) letters.words.emplace_back("¿");
    }
    text.remove_prefix(length);
  }
  end_word();
  return letters;
}

std::optional<std::string> by_script(const Letters& letters) {
  std::string_view most;
  size_t count = 0;
  size_t all = letters.latin;
  for (const auto& [language, letters_of_it] : letters.others) {
    all += letters_of_it;
    if (letters_of_it <= count) continue;
    count = letters_of_it;
    most = language;
  }
  if (count == 0 || static_cast<double>(count) < kScriptShareMin * static_cast<double>(all)) {
    return std::nullopt;
  }
  // Japanese is written with Chinese characters, and with its own between them.
  if (most == "zh" && letters.others.contains("ja")) return "ja";
  if (most == "ru" && letters.ukrainian > 0) return "uk";
  return std::string(most);
}

// How many languages have a word, each with a bit of its own.
const std::map<std::string, unsigned, std::less<>>& word_table() {
  static const auto kTable = [] {
    std::map<std::string, unsigned, std::less<>> table;
    for (size_t i = 0; i < kCommon.size(); ++i) {
      std::string_view rest = kCommon[i].words;
      while (!rest.empty()) {
        const size_t end = std::min(rest.find(' '), rest.size());
        table[std::string(rest.substr(0, end))] |= 1U << i;
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    return table;
  }();
  return kTable;
}

// Two points for a word that is one language's alone, one for what several have.
std::optional<std::string> by_words(const Letters& letters) {
  std::array<int, kCommon.size()> points{};
  for (const std::string& word : letters.words) {
    const auto known = word_table().find(word);
    if (known == word_table().end()) continue;
    const unsigned who = known->second;
    const int worth = (who & (who - 1)) == 0 ? 2 : 1;
    for (size_t i = 0; i < points.size(); ++i) points[i] += (who >> i & 1U) != 0 ? worth : 0;
  }
  const auto best = std::max_element(points.begin(), points.end());
  int second = 0;
  for (auto other = points.begin(); other != points.end(); ++other) {
    if (other != best) second = std::max(second, *other);
  }
  if (*best < kPointsMin || *best - second < kLeadMin) return std::nullopt;
  return std::string(kCommon[static_cast<size_t>(best - points.begin())].language);
}

}  // namespace

std::span<const std::string_view> known_languages() { return kKnown; }

std::optional<std::string> language_of(std::string_view text) {
  const Letters letters = letters_of(prose_of(text.substr(0, kBytesMax)));
  if (auto language = by_script(letters)) return language;
  return by_words(letters);
}

}  // namespace tinyarms::intent
