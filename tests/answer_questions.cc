// answer_questions: reads one question a line and prints its answer by the bundled rules, or an
// empty line; line ends within an answer are printed as \n. `--time` prints instead the processor
// time that loading and answering took (docs/rules.md).
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "questions/question_engine.h"

namespace {

using tinyarms::questions::QuestionEngine;

// Processor time, which a busy machine does not stretch.
double microseconds_used() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void print_line(std::string text) {
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    text.replace(at, 1, "\\n");
  }
  std::puts(text.c_str());
}

void print_times(const std::vector<std::string>& questions) {
  const double started = microseconds_used();
  const QuestionEngine engine = QuestionEngine::bundled();
  const double loaded = microseconds_used() - started;
  std::vector<double> first;  // of an engine that has read nothing yet
  std::vector<double> warm;
  for (const std::string& question : questions) {
    const QuestionEngine fresh = QuestionEngine::bundled();
    const double begin = microseconds_used();
    (void)fresh.answer(question);
    first.push_back(microseconds_used() - begin);
    (void)engine.answer(question);
    const double again = microseconds_used();
    (void)engine.answer(question);
    warm.push_back(microseconds_used() - again);
  }
  std::sort(first.begin(), first.end());
  std::sort(warm.begin(), warm.end());
  std::printf("questions %zu\nload %.0f us\n", questions.size(), loaded);
  for (const auto& [name, times] : {std::pair("first", &first), std::pair("warm", &warm)}) {
    if (times->empty()) continue;
    std::printf("%s p50 %.0f us, p99 %.0f us, worst %.0f us\n", name, (*times)[times->size() / 2],
                (*times)[times->size() * 99 / 100], times->back());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool timed = argc > 1 && std::string_view(argv[1]) == "--time";
  std::vector<std::string> questions;
  if (timed) {
    for (std::string line; std::getline(std::cin, line);) questions.push_back(line);
    print_times(questions);
    return 0;
  }
  const QuestionEngine engine = QuestionEngine::bundled();
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = engine.answer(line);
    print_line(answer ? answer->answer : std::string());
  }
  return 0;
}
