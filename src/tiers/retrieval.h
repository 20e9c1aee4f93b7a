// Questions about the user's own code, answered from the index of their files: by the passage
// itself where the evidence is strong, else the best passages go to the model above, as data, and
// are cited.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cascade/attempt.h"
#include "corpus/library.h"

namespace tinyarms::tiers {

// The intent of such questions, as the classifier names it.
inline constexpr std::string_view kAboutMyCode = "about-my-code";

// Whether the words alone say so: "in this repo", "where is … parsed", "what does f() do".
bool asks_about_own_code(std::string_view question);

struct RetrievalOptions {
  bool enabled = false;
  std::filesystem::path folder = {};  // of the library
  std::string model = {};
  std::string model_id = {};
  size_t budget_tokens = 1200;   // of passages for the models above; 0: none
  corpus::FusionWeights weights = {};
  std::string working_folder = {};  // where it is asked, unless a question says otherwise
};

// Thread-safe: one search after the other.
class Retrieval {
 public:
  using EmbedQuestion = std::function<Result<std::vector<float>>(const std::string&)>;

  // `clock` outlives it. Opens nothing before the first question.
  Retrieval(RetrievalOptions options, const Clock& clock);
  ~Retrieval();

  // Whether there is an index to look into; cheap.
  bool ready() const;

  // Only the root around `folder` is searched, if it lies in one; empty: the working folder.
  // Answered where the evidence is strong, else an abstention with passages; nothing where nothing
  // near enough was found. `notice` of the attempt: what the user should know of the index.
  // Errors: those of the library, of `embed`.
  Result<std::optional<cascade::Attempt>> look_up(const std::string& question,
                                                  const EmbedQuestion& embed,
                                                  const std::string& folder = {});

 private:
  Result<corpus::Library*> library();
  std::function<bool(std::string_view)> scope(corpus::Library& library,
                                              const std::string& folder) const;

  RetrievalOptions options_;
  const Clock& clock_;
  std::mutex mutex_;  // of the library
  std::unique_ptr<corpus::Library> library_;
};

// About as many as a model's tokenizer makes of it, on the safe side.
size_t tokens_of(std::string_view text);

// "path:line path:line …".
std::string source_words(const std::vector<cascade::ContextPassage>& passages);

// "[1] path:line", one a line, for those that a model was shown.
std::string source_list(const std::vector<cascade::ContextPassage>& passages);

}  // namespace tinyarms::tiers
