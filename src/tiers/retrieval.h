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
  corpus::VectorMaker encoder = {};  // the configured one; its dimensions do not matter
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

  // What other processes did since is seen from here on. Whose vectors are searched, so that the
  // question can be embedded by that encoder; none where words alone are. Errors: of the library.
  Result<std::optional<corpus::VectorMaker>> refresh();

  struct Query {
    std::string question;
    std::string encoder_id;   // of the encoder behind `embed`
    std::string folder = {};  // only the root around it is searched; empty: the working folder
  };
  // Answered where the evidence is strong, else an abstention with passages; nothing where nothing
  // near enough was found. `notice` of the attempt: what the user should know of the index. In the
  // state that refresh() saw, where it was called since the last question. Where the encoder is not
  // the vectors', words alone are searched. Errors: those of the library, of `embed`.
  Result<std::optional<cascade::Attempt>> look_up(const Query& query, const EmbedQuestion& embed);

 private:
  // With the lock held:
  Result<void> open_current();
  Result<std::string> notice_for(const std::string& encoder_id);
  std::function<bool(std::string_view)> scope(const std::string& folder) const;

  RetrievalOptions options_;
  const Clock& clock_;
  std::mutex mutex_;  // of all below
  std::unique_ptr<corpus::Library> library_;
  bool fresh_ = false;  // refreshed since the last question
};

// About as many as a model's tokenizer makes of it, on the safe side.
size_t tokens_of(std::string_view text);

// "path:line path:line …".
std::string source_words(const std::vector<cascade::ContextPassage>& passages);

// "[1] path:line", one a line, for those that a model was shown.
std::string source_list(const std::vector<cascade::ContextPassage>& passages);

}  // namespace tinyarms::tiers
