// A task: items to ask, read from upstream's own files, and how an answer is judged, as upstream
// judges it. One file a task under src/eval/tasks; src/eval/task_registry.h has them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cascade/request.h"

namespace tinyarms::sandbox {
class Judge;
}

namespace tinyarms::eval {

// How an item is measured.
enum class Mode {
  Generate,  // the model writes; score() judges the text
  Choose,    // the option with the largest log-probability is the answer; score() judges its letter
};

struct Item {
  std::string id;     // upstream's, unique within the task
  std::string group;  // subject, language, category: what intervals are also given for
  Mode mode = Mode::Generate;
  std::vector<cascade::Message> messages;
  std::vector<std::string> stop;     // generation ends before the first of these
  int tokens_max = 512;
  std::vector<std::string> options;  // Mode::Choose: what may follow the prompt, e.g. "A", "B"
  // The one message is continued as plain text, without the model's chat template (how MMLU is
  // asked). Who can only chat sends it as a user's turn.
  bool plain = false;
  // Of a plain item: how many of its first bytes its neighbours share (heading, solved examples).
  size_t shared_bytes = 0;
  // What only the task's own score() reads: its reference as JSON text.
  std::string reference;
};

struct Verdict {
  bool correct = false;
  std::string reason;  // "passed", "wrong answer: 12, expected 15", "timed out", "no code"
};

class Task {
 public:
  virtual ~Task() = default;

  virtual std::string_view name() const = 0;         // "humaneval"
  virtual std::string_view description() const = 0;  // one line, for people
  // What read() takes from this folder, relative to it; of files that stand for each other (packed
  // or not, whole or only the first rows) the one that is there. Empty: the items are inside the
  // binary.
  virtual std::vector<std::string> files(const std::filesystem::path& folder) const = 0;
  // Every item in upstream's order. Errors: NotFound, Corrupt (where = "file:line").
  virtual Result<std::vector<Item>> read(const std::filesystem::path& folder) const = 0;
  // Deterministic. An Error means "could not be measured" (no sandbox, no toolchain), never
  // "wrong". Code runs in `judge` only. May be called from several threads at once.
  virtual Result<Verdict> score(const Item& item, std::string_view answer,
                                sandbox::Judge& judge) const = 0;
  // For `bench score`: upstream's sample forms. `completion` continues the prompt; tasks that are
  // not about code treat both alike.
  virtual Result<Verdict> score_completion(const Item& item, std::string_view completion,
                                           sandbox::Judge& judge) const {
    return score(item, completion, judge);
  }
  // Whether scoring runs generated code.
  virtual bool runs_code() const { return false; }
  // What a reader of the figures should know: when the items were published (contamination), how
  // the scoring differs from upstream's. Printed with the result; may be empty.
  virtual std::string_view caveat() const { return {}; }
};

}  // namespace tinyarms::eval
