#include "encoder/text_reranker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <utility>

#include "encoder/bert_encoder.h"
#include "encoder/bert_file.h"
#include "encoder/wordpiece.h"

namespace tinyarms::encoder {
namespace {

using engine::PassageScore;
using Ids = std::vector<int32_t>;

// Passages computed at a time, so that an interruption is noticed and memory stays small.
constexpr size_t kStep = 64;

class BertReranker : public engine::Reranker {
 public:
  explicit BertReranker(BertFile file) : file_(std::move(file)), words_(file_.take_tokenizer()) {}

  virtual Result<void> open(BertOptions options) {
    auto encoder = BertEncoder::create(file_, options);
    if (!encoder) return encoder.error();
    encoder_ = std::move(*encoder);
    backend_ = fmt::format("oneDNN {}, {} kernels", name_of(options.precision), kernels().name);
    return {};
  }

  std::string_view backend() const override { return backend_; }

  Result<std::vector<PassageScore>> score(const std::string& query,
                                          std::span<const std::string> passages,
                                          const StopFlag& stop) override {
    try {
      auto asked = words_.tokenize(query);
      if (!asked) return asked.error();
      if (auto ready = begin(*asked); !ready) return ready.error();
      std::vector<PassageScore> scores;
      for (size_t at = 0; at < passages.size(); at += kStep) {
        if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
        std::vector<Ids> ids;
        for (const std::string& passage : passages.subspan(at, std::min(kStep,
                                                                        passages.size() - at))) {
          auto tokens = words_.tokenize(passage);
          if (!tokens) return tokens.error();
          ids.push_back(std::move(*tokens));
        }
        if (auto done = score_step(*asked, ids, scores); !done) return done.error();
      }
      for (const PassageScore& each : scores) {
        if (!std::isfinite(each.score)) {
          return Error{ErrorCode::Corrupt, "the model's output is not a number",
                       file_.facts().path.string(), "import the model again"};
        }
      }
      return scores;
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::Internal, "there is no memory for these texts", "",
                   "free some memory or rank fewer at once"};
    }
  }

 protected:
  virtual Result<void> begin(const Ids&) { return {}; }
  virtual Result<void> score_step(const Ids& query, std::vector<Ids>& passages,
                                  std::vector<PassageScore>& scores) = 0;

  size_t window() const { return file_.facts().context_tokens; }

  BertFile file_;
  WordPiece words_;
  std::unique_ptr<BertEncoder> encoder_;
  std::string backend_;
};

class BertCrossEncoder final : public BertReranker {
 public:
  using BertReranker::BertReranker;

  Result<void> open(BertOptions options) override {
    auto classifier = file_.classifier();
    if (!classifier) return classifier.error();
    classifier_ = std::move(*classifier);
    return BertReranker::open(options);
  }

 protected:
  Result<void> score_step(const Ids& query, std::vector<Ids>& passages,
                          std::vector<PassageScore>& scores) override {
    std::vector<Ids> pairs;
    std::vector<size_t> second;
    const size_t base = scores.size();
    for (const Ids& passage : passages) {
      const auto fit = engine::fit_pair({query.size(), passage.size()}, window() - 3);
      Ids pair = {file_.begin_token()};
      append(pair, query, fit.query);
      pair.push_back(file_.end_token());
      second.push_back(pair.size());
      append(pair, passage, fit.passage);
      pair.push_back(file_.end_token());
      pairs.push_back(std::move(pair));
      scores.push_back({.truncated = fit.query + fit.passage < query.size() + passage.size()});
    }
    std::vector<float> first(pairs.size() * file_.width());
    if (auto done = encoder_->encode({.texts = pairs, .second = second}, first.data()); !done) {
      return done;
    }
    for (size_t i = 0; i < pairs.size(); ++i) {
      scores[base + i].score = classify(first.data() + i * file_.width());
    }
    return {};
  }

 private:
  static void append(Ids& to, const Ids& from, size_t count) {
    to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  }

  double classify(const float* x) const {
    const size_t width = file_.width();
    double score = classifier_.out_bias;
    for (size_t i = 0; i < width; ++i) {
      float value = x[i];
      if (!classifier_.dense.empty()) {
        const float* row = classifier_.dense.data() + i * width;
        float sums[8] = {};  // so that the compiler may use vectors; width is a multiple of 16
        for (size_t j = 0; j < width; j += 8) {
          for (size_t lane = 0; lane < 8; ++lane) sums[lane] += row[j + lane] * x[j + lane];
        }
        float sum = classifier_.dense_bias[i];
        for (const float each : sums) sum += each;
        value = std::tanh(sum);
      }
      score += double{classifier_.out[i]} * double{value};
    }
    return score;
  }

  BertClassifier classifier_;
};

class LateInteraction final : public BertReranker {
 public:
  using BertReranker::BertReranker;

 protected:
  Result<void> begin(const Ids& query) override {
    std::vector<Ids> texts = {surround(query)};
    auto rows = unit_rows(texts);
    if (!rows) return rows.error();
    query_tokens_ = texts[0].size() - 2;
    query_truncated_ = query_tokens_ < query.size();
    query_ = std::move(*rows);
    return {};
  }

  Result<void> score_step(const Ids&, std::vector<Ids>& passages,
                          std::vector<PassageScore>& scores) override {
    std::vector<Ids> texts;
    for (const Ids& passage : passages) texts.push_back(surround(passage));
    auto rows = unit_rows(texts);
    if (!rows) return rows.error();
    const float* at = rows->data();
    for (size_t i = 0; i < texts.size(); ++i) {
      const size_t tokens = texts[i].size() - 2;
      scores.push_back({.score = closeness(at + file_.width(), tokens),
                        .truncated = query_truncated_ || tokens < passages[i].size()});
      at += texts[i].size() * file_.width();
    }
    return {};
  }

 private:
  Ids surround(const Ids& body) const {
    Ids text = {file_.begin_token()};
    const size_t count = std::min(body.size(), window() - 2);
    text.insert(text.end(), body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count));
    text.push_back(file_.end_token());
    return text;
  }

  Result<std::vector<float>> unit_rows(const std::vector<Ids>& texts) {
    size_t tokens = 0;
    for (const Ids& text : texts) tokens += text.size();
    const size_t width = file_.width();
    std::vector<float> rows(tokens * width);
    if (auto done = encoder_->encode_tokens({.texts = texts}, rows.data()); !done) {
      return done.error();
    }
    for (size_t row = 0; row < tokens; ++row) {
      float* x = rows.data() + row * width;
      const float length = std::sqrt(dot(x, x));
      for (size_t i = 0; i < width && length > 0; ++i) x[i] /= length;
    }
    return rows;
  }

  float dot(const float* a, const float* b) const {
    float sums[16] = {};
    for (size_t i = 0; i < file_.width(); i += 16) {
      for (size_t lane = 0; lane < 16; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    }
    float sum = 0;
    for (const float each : sums) sum += each;
    return sum;
  }

  double closeness(const float* passage, size_t tokens) const {
    if (query_tokens_ == 0 || tokens == 0) return -1;
    double sum = 0;
    for (size_t q = 1; q <= query_tokens_; ++q) {
      float best = -1;
      for (size_t p = 0; p < tokens; ++p) {
        best = std::max(best, dot(query_.data() + q * file_.width(), passage + p * file_.width()));
      }
      sum += best;
    }
    return sum / static_cast<double>(query_tokens_);
  }

  std::vector<float> query_;
  size_t query_tokens_ = 0;
  bool query_truncated_ = false;
};

template <typename Kind>
Result<std::unique_ptr<engine::Reranker>> open_bert(const std::filesystem::path& path,
                                                    const TextEncoderOptions& options) {
  const Precision precision = options.precision.value_or(fastest_exact());
  if (!supports(precision)) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("this processor does not compute in {}", name_of(precision)), "",
                 "leave the precision to the program"};
  }
  auto file = BertFile::open(path);
  if (!file) return file.error();
  const bool ranks = file->pooling() == Pooling::Rank;
  if (ranks != std::is_same_v<Kind, BertCrossEncoder>) {
    return Error{ErrorCode::Unsupported,
                 ranks ? "is a cross-encoder, not an embedding model"
                       : "is not a reranker: it does not score pairs of texts",
                 path.string(), ranks ? "name an embedding model" : "name a cross-encoder"};
  }
  try {
    auto reranker = std::make_unique<Kind>(std::move(*file));
    if (auto opened = reranker->open({.threads = options.threads, .precision = precision});
        !opened) {
      return opened.error();
    }
    return Result<std::unique_ptr<engine::Reranker>>(std::move(reranker));
  } catch (const std::exception& problem) {  // memory, threads
    return Error{ErrorCode::Internal, fmt::format("it could not be loaded: {}", problem.what()),
                 path.string(), "free some memory and try again"};
  }
}

}  // namespace

Result<std::unique_ptr<engine::Reranker>> load_bert_cross_encoder(
    const std::filesystem::path& path, const TextEncoderOptions& options) {
  return open_bert<BertCrossEncoder>(path, options);
}

Result<std::unique_ptr<engine::Reranker>> load_cross_encoder(const std::filesystem::path& path,
                                                             const TextEncoderOptions& options) {
  auto bert = load_bert_cross_encoder(path, options);
  if (bert || bert.error().code != ErrorCode::Unsupported || options.precision) return bert;
  return engine::Reranker::load(path, options.threads);
}

Result<std::unique_ptr<engine::Reranker>> load_late_interaction(const std::filesystem::path& path,
                                                                const TextEncoderOptions& options) {
  return open_bert<LateInteraction>(path, options);
}

}  // namespace tinyarms::encoder
