// Questions that are nearly known ones, made by the thousand: whatever is not one whole known
// question must get no answer, and a typo no other answer than the question meant.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "questions/bundled_packs.h"
#include "questions/question_engine.h"
#include "rules/yaml_document.h"

namespace tinyarms::questions {
namespace {

constexpr uint32_t kSeed = 20240229;

const QuestionEngine& bundled_engine() {
  static const QuestionEngine kEngine = QuestionEngine::bundled();
  return kEngine;
}

struct Known {
  std::string rule;
  std::string question;
};

// Every valid example of one line, without its final mark.
const std::vector<Known>& known_questions() {
  static const std::vector<Known> kKnown = [] {
    std::vector<Known> known;
    for (const EmbeddedFile& pack : bundled_packs()) {
      for (const rules::YamlNode& document : rules::read_yaml(pack.name, pack.bytes).documents) {
        const rules::YamlNode* valid = document.find("valid");
        if (valid == nullptr) continue;
        for (const auto& [question, answer] : valid->entries) {
          std::string text = question.scalar;
          if (text.find('\n') != text.npos || text.find('`') != text.npos) continue;
          while (!text.empty() && (text.back() == '?' || text.back() == '.')) text.pop_back();
          known.push_back({document.find("id")->scalar, text});
        }
      }
    }
    return known;
  }();
  return kKnown;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Words of the sentence and not of its subject: letters only, in examples of many rules.
const std::set<std::string>& frame_words() {
  static const std::set<std::string> kWords = [] {
    std::map<std::string, std::set<std::string>> rules;
    for (const Known& known : known_questions()) {
      for (const std::string& word : words_of(known.question)) rules[word].insert(known.rule);
    }
    std::set<std::string> frequent;
    for (const auto& [word, where] : rules) {
      const bool letters =
          word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
      if (letters && word.size() >= 3 && where.size() >= 8) frequent.insert(word);
    }
    return frequent;
  }();
  return kWords;
}

// "the square root of 2 ≈ …" and "square root of 2 ≈ …" are one answer.
std::string without_article(const std::string& answer) {
  return answer.substr(0, 4) == "the " ? answer.substr(4) : answer;
}

void expect_silence(const std::string& question) {
  const auto found = bundled_engine().answer(question);
  EXPECT_FALSE(found) << question << " → "
                      << (found ? found->rule_id + ": " + found->answer : "");
}

TEST(Mutations, ThereIsSomethingToMutate) {
  EXPECT_GE(known_questions().size(), 350u);
  EXPECT_GE(frame_words().size(), 10u);
}

TEST(Mutations, TwoQuestionsInOneGetNoAnswer) {
  std::mt19937 random(kSeed);
  const auto& known = known_questions();
  constexpr const char* kJoints[] = {" and ", ", ", "? ", ". ", " or ", " but not ", "; ", " "};
  for (int i = 0; i < 4000; ++i) {
    const Known& a = known[random() % known.size()];
    const Known& b = known[random() % known.size()];
    expect_silence(a.question + kJoints[random() % std::size(kJoints)] + b.question);
  }
}

TEST(Mutations, AQuestionAboutTheQuestionGetsNoAnswer) {
  for (const Known& known : known_questions()) {
    for (const char* before :
         {"why ", "is it true that ", "never ", "don't tell me ", "when not "}) {
      expect_silence(before + known.question);
    }
    for (const char* after : {" in cobol", " and why", " without using it", " on windows 95",
                              " for beginners", " instead of the other one", " not"}) {
      expect_silence(known.question + after);
    }
  }
}

TEST(Mutations, ATypoGetsTheSameAnswerOrNone) {
  std::mt19937 random(kSeed);
  for (const Known& known : known_questions()) {
    const auto meant = bundled_engine().answer(known.question);
    ASSERT_TRUE(meant) << known.question;
    for (int i = 0; i < 8; ++i) {
      std::vector<std::string> words = words_of(known.question);
      std::string& word = words[random() % words.size()];
      if (frame_words().count(word) == 0) continue;
      const size_t at = random() % word.size();
      switch (random() % 4) {
        case 0: word.erase(at, 1); break;
        case 1: word.insert(at, 1, static_cast<char>('a' + random() % 26)); break;
        case 2: word[at] = static_cast<char>('a' + random() % 26); break;
        default: std::swap(word[at], word[(at + 1) % word.size()]); break;
      }
      const auto found = bundled_engine().answer(joined(words));
      if (!found) continue;
      EXPECT_EQ(without_article(found->answer), without_article(meant->answer)) << joined(words);
    }
  }
}

TEST(Mutations, AMissingWordGetsTheSameAnswerOrNone) {
  for (const Known& known : known_questions()) {
    const auto meant = bundled_engine().answer(known.question);
    ASSERT_TRUE(meant) << known.question;
    const std::vector<std::string> all = words_of(known.question);
    for (size_t i = 0; i < all.size(); ++i) {
      if (frame_words().count(all[i]) == 0) continue;
      std::vector<std::string> words = all;
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
      const auto found = bundled_engine().answer(joined(words));
      if (!found) continue;
      EXPECT_EQ(without_article(found->answer), without_article(meant->answer)) << joined(words);
    }
  }
}

}  // namespace
}  // namespace tinyarms::questions
