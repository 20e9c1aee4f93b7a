#include "tiers/retrieval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/utf8.h"
#include "corpus/strength.h"
#include "tiers/prompt.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

constexpr size_t kFound = 8;            // passages that are looked at
constexpr double kStrong = 0.5;         // strength from which a passage is the answer
constexpr double kNearMin = 0.25;       // cosine below which nothing was found
constexpr size_t kAnswerBytesMax = 4000;

template <size_t Count>
bool has_any(const std::string& text, const std::array<std::string_view, Count>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string::npos;
  });
}

std::string place_of(const storage::PassageRow& row) {
  return fmt::format("{}:{}", row.path, row.first_line);
}

// A path is shown to a model outside of the marks around data: a file of a cloned tree may be
// called anything, and what reads like a line of its own stays out.
bool is_plain(std::string_view path) {
  return !find_invalid_utf8(path) && std::none_of(path.begin(), path.end(), [](unsigned char c) {
    return c < ' ' || c == 127;
  });
}

cascade::ContextPassage passage_of(const storage::PassageRow& row) {
  return {.path = row.path,
          .first_line = row.first_line,
          .last_line = row.last_line,
          .symbol = row.symbol,
          .content = row.body};
}

// The best passages that fit the budget, whole.
std::vector<cascade::ContextPassage> within_budget(const std::vector<corpus::Found>& found,
                                                   size_t budget) {
  std::vector<cascade::ContextPassage> passages;
  size_t spent = 0;
  for (const corpus::Found& each : found) {
    if (each.vector_rank > 0 && each.cosine < kNearMin) continue;
    const size_t tokens = tokens_of(each.passage.body);
    if (spent + tokens > budget) continue;
    spent += tokens;
    passages.push_back(passage_of(each.passage));
  }
  return passages;
}

std::string answer_text(const std::vector<corpus::Found>& found) {
  const storage::PassageRow& row = found.front().passage;
  std::string_view body = row.body;
  const bool cut = body.size() > kAnswerBytesMax;
  if (cut) body = body.substr(0, body.rfind('\n', kAnswerBytesMax));
  std::string text = fmt::format("{}:{}-{}{}{}\n\n", row.path, row.first_line, row.last_line,
                                 row.symbol.empty() ? "" : "  ", row.symbol);
  text += fenced(body, row.language) + (cut ? "…\n" : "");
  std::string others;
  for (size_t i = 1; i < found.size() && i < 4; ++i) {
    const storage::PassageRow& other = found[i].passage;
    others += fmt::format("  {}{}{}\n", place_of(other), other.symbol.empty() ? "" : "  ",
                          other.symbol);
  }
  return others.empty() ? text : text + "\nSee also:\n" + others;
}

}  // namespace

bool asks_about_own_code(std::string_view question) {
  constexpr std::array<std::string_view, 17> kMine = {
      "this repo",     "this project",  "this codebase", "this code base", "our code",
      "my code",       "our repo",      "my repo",       "my project",     "our project",
      "the codebase",  "the code base", "the repo",      "my files",       "these files",
      "our codebase",  "my codebase"};
  constexpr std::array<std::string_view, 9> kWhere = {
      "where is ",  "where are ",  "where do ",      "where does ",   "where did ",
      "which file", "which files", "which function", "in what file"};
  constexpr std::array<std::string_view, 26> kDone = {
      "defined",  "declared", "implemented", "parsed",   "handled",   "called",     "computed",
      "read",     "written",  "loaded",      "created",  "checked",   "tested",     "set up",
      "stored",   "logged",   "configured",  "validated", "initialised", "initialized",
      "decided",  "used",     "converted",   "sent",     "built",     "registered"};
  constexpr std::array<std::string_view, 8> kDoes = {
      "handles", "defines", "declares", "implements", "parses", "computes", "loads", "validates"};
  const std::string text = lowered(question);
  if (has_any(text, kMine)) return true;
  if (has_any(text, kWhere) && (has_any(text, kDone) || has_any(text, kDoes))) return true;
  const bool asks = has_any(text, kWhere) || text.find("what does") != std::string::npos ||
                    text.find("how does") != std::string::npos ||
                    text.find("show me") != std::string::npos;
  return asks && !corpus::identifiers_in(question).empty();
}

size_t tokens_of(std::string_view text) { return text.size() / 3 + 8; }

std::string source_words(const std::vector<cascade::ContextPassage>& passages) {
  std::string words;
  for (const auto& each : passages) {
    words += fmt::format("{}{}:{}", words.empty() ? "" : " ", each.path, each.first_line);
  }
  return words;
}

std::string source_list(const std::vector<cascade::ContextPassage>& passages) {
  std::string text;
  for (size_t i = 0; i < passages.size(); ++i) {
    text += fmt::format("[{}] {}:{}\n", i + 1, passages[i].path, passages[i].first_line);
  }
  return text;
}

Retrieval::Retrieval(RetrievalOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

Retrieval::~Retrieval() = default;

bool Retrieval::ready() const {
  return options_.enabled && corpus::Library::exists(options_.folder);
}

// A server outlives many states of the index, which others write.
Result<void> Retrieval::open_current() {
  fresh_ = false;
  if (library_ != nullptr) {
    auto current = library_->keep_up();
    if (!current || !*current) library_.reset();
  }
  if (library_ == nullptr) {
    auto opened =
        corpus::Library::open({.folder = options_.folder, .wanted = options_.encoder}, clock_);
    if (!opened) return opened.error();
    library_ = std::move(*opened);
  }
  fresh_ = true;
  return {};
}

Result<std::optional<corpus::VectorMaker>> Retrieval::refresh() {
  const std::lock_guard lock(mutex_);
  if (auto opened = open_current(); !opened) return opened.error();
  const corpus::VectorMaker* maker = library_->maker();
  return maker != nullptr ? std::optional(*maker) : std::nullopt;
}

std::function<bool(std::string_view)> Retrieval::scope(const std::string& folder) const {
  auto roots = library_->roots();
  if (!roots || roots->size() < 2) return nullptr;
  const corpus::Root* around =
      corpus::root_of(*roots, folder.empty() ? options_.working_folder : folder);
  if (around == nullptr) return nullptr;
  return [folder = around->path](std::string_view path) {
    return corpus::lies_in(path, folder);
  };
}

// What was set aside, whose vectors serve while others are made, and why they do not.
Result<std::string> Retrieval::notice_for(const std::string& encoder_id) {
  std::string notice = library_->notice();
  auto remaking = library_->remaking_text();
  if (!remaking) return remaking.error();
  const corpus::VectorMaker* maker = library_->maker();
  if (maker != nullptr && maker->model_id != encoder_id) {
    *remaking = fmt::format("your files are searched by words alone: {}, which made the vectors, "
                            "is not at hand; tinyarms index update makes new ones",
                            maker->model);
  }
  if (!notice.empty() && !remaking->empty()) notice += "; ";
  return notice + *remaking;
}

Result<std::optional<cascade::Attempt>> Retrieval::look_up(const Query& query,
                                                           const EmbedQuestion& embed) {
  const std::string& question = query.question;
  std::unique_lock lock(mutex_);
  if (!fresh_) {
    if (auto opened = open_current(); !opened) return opened.error();
  }
  fresh_ = false;
  auto notice = notice_for(query.encoder_id);
  if (!notice) return notice.error();
  std::vector<float> vector;
  const corpus::VectorMaker* maker = library_->maker();
  if (maker != nullptr && maker->model_id == query.encoder_id) {
    lock.unlock();  // it may wait for the encoder
    auto embedded = embed(question);
    if (!embedded) return embedded.error();
    vector = std::move(*embedded);
    lock.lock();
    if (library_ == nullptr) {
      if (auto opened = open_current(); !opened) return opened.error();
    }
    // In between, vectors of another encoder may have begun to serve.
    maker = library_->maker();
    if (maker == nullptr || maker->model_id != query.encoder_id) vector.clear();
  }
  auto found = library_->search({.text = question,
                                 .vector = vector,
                                 .made_by = query.encoder_id,
                                 .count = kFound,
                                 .weights = options_.weights,
                                 .wanted = scope(query.folder)});
  if (!found) return found.error();
  std::erase_if(*found, [](const corpus::Found& each) { return !is_plain(each.passage.path); });
  if (found->empty() || (found->front().vector_rank > 0 && found->front().cosine < kNearMin)) {
    return std::optional<cascade::Attempt>();
  }
  const corpus::Strength strength = corpus::strength_of(question, *found);
  cascade::Attempt attempt;
  attempt.source = "your files";
  attempt.notice = std::move(*notice);
  attempt.evidence.set(signal::kPassageSimilarity, found->front().cosine);
  attempt.evidence.set(signal::kPassageStrength, strength.value);
  attempt.answered = strength.value >= kStrong;
  std::vector<cascade::ContextPassage> passages = within_budget(*found, options_.budget_tokens);
  std::string sources;
  if (attempt.answered) {
    attempt.answer = answer_text(*found);
    sources = place_of(found->front().passage);
  } else {
    sources = source_words(passages);
    attempt.reason = fmt::format(
        "{} (strength {:.2f}, {:.2f} needed); {} of the best go to the model", strength.reason,
        strength.value, kStrong, passages.size());
  }
  if (!sources.empty()) attempt.evidence.set(signal::kSources, sources);
  attempt.passages = std::move(passages);
  return std::optional(std::move(attempt));
}

}  // namespace tinyarms::tiers
