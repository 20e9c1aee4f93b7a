// The loop of decoding over a toy model whose probabilities are known: a language of six tokens in
// which each depends on the one before.
#include "engine/token_loop.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "engine/draft_guesser.h"
#include "engine/draft_verdict.h"
#include "engine/sampler.h"

namespace tinyarms::engine {
namespace {

constexpr size_t kTokens = 6;
constexpr size_t kLength = 3;  // of an answer in the tests of distributions
using Table = std::array<std::array<double, kTokens>, kTokens>;

Table random_table(uint32_t seed) {
  std::mt19937 random(seed);
  Table table{};
  for (auto& row : table) {
    double sum = 0;
    for (double& p : row) sum += p = 0.05 + static_cast<double>(random() % 1000) / 1000;
    for (double& p : row) p /= sum;
  }
  return table;
}

// Checks the contract of its port as it goes.
class ToySequence final : public TokenSequence {
 public:
  explicit ToySequence(const Table& table, size_t outputs_max = 8, size_t capacity = 100)
      : table_(table), outputs_max_(outputs_max), capacity_(capacity) {}

  Result<void> append(std::span<const int32_t> tokens, size_t outputs) override {
    EXPECT_GE(outputs, 1u);
    EXPECT_LE(outputs, std::min(outputs_max_, tokens.size()));
    EXPECT_LE(tokens_.size() + tokens.size(), capacity_);
    if (appends == fail_at) return Error{ErrorCode::Interrupted, "stopped", "", ""};
    ++appends;
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    logits_.clear();
    for (size_t i = tokens_.size() - outputs; i < tokens_.size(); ++i) {
      std::vector<float> row;
      for (const double p : table_[static_cast<size_t>(tokens_[i])]) {
        row.push_back(static_cast<float>(std::log(p)));
      }
      logits_.push_back(row);
    }
    return {};
  }
  std::span<const float> logits(size_t index) const override { return logits_.at(index); }
  Result<void> rewind(size_t length) override {
    if (length < tokens_.size()) tokens_.resize(length);
    return {};
  }
  size_t length() const override { return tokens_.size(); }
  size_t capacity() const override { return capacity_; }
  size_t outputs_max() const override { return outputs_max_; }

  const std::vector<int32_t>& tokens() const { return tokens_; }
  size_t appends = 0;
  size_t fail_at = 1000000;

 private:
  const Table& table_;
  size_t outputs_max_;
  size_t capacity_;
  std::vector<int32_t> tokens_;
  std::vector<std::vector<float>> logits_;
};

struct Decoded {
  std::vector<int32_t> tokens;
  FinishReason finish = FinishReason::Stop;
  size_t appends = 0;
};

TokenLoop loop_into(Decoded& decoded, Sampler& sampler, size_t length) {
  return {.choose = [&sampler](std::span<const float> logits, const LogitScan& scan) {
            return sampler.draw(logits, scan);
          },
          .take = [&decoded, length](int32_t token, const TokenStatistics&)
              -> std::optional<FinishReason> {
            decoded.tokens.push_back(token);
            if (decoded.tokens.size() < length) return std::nullopt;
            return FinishReason::Length;
          }};
}

const std::vector<int32_t> kPrompt = {2, 0, 1};

Decoded decode(const Table& table, GuessSources sources, double temperature, uint32_t seed,
               size_t length) {
  ToySequence sequence(table);
  DraftGuesser guesser(std::move(sources));
  Sampler sampler(temperature, seed);
  Decoded decoded;
  auto finish = decode_tokens(sequence, kPrompt, guesser, loop_into(decoded, sampler, length));
  EXPECT_TRUE(finish);
  decoded.finish = *finish;
  decoded.appends = sequence.appends;
  // What was appended is the answer but for its last token, and perhaps guesses past the end.
  for (size_t i = kPrompt.size(); i < std::min(sequence.tokens().size(),
                                               kPrompt.size() + decoded.tokens.size() - 1); ++i) {
    EXPECT_EQ(sequence.tokens()[i], decoded.tokens[i - kPrompt.size()]);
  }
  return decoded;
}

TEST(TokenLoopTest, NoDraftChangesAnAnswer) {
  std::mt19937 random(11);
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const Table table = random_table(seed);
    const double temperature = seed % 3 == 0 ? 0 : 1.0;
    const Decoded plain = decode(table, {}, temperature, seed, 40);
    // Right for a while, then wrong in places; or nothing but noise.
    std::vector<int32_t> draft = plain.tokens;
    for (int32_t& token : draft) {
      if (random() % (seed % 9 + 1) == 0) token = static_cast<int32_t>(random() % kTokens);
    }
    draft.resize(random() % 60);
    const Decoded drafted =
        decode(table, {.draft = draft, .prompt = kPrompt, .lookup = seed % 2 == 0}, temperature,
               seed, 40);
    ASSERT_EQ(drafted.tokens, plain.tokens) << "seed " << seed;
    EXPECT_LE(drafted.appends, plain.appends);
  }
}

TEST(TokenLoopTest, AWholeDraftTakesFewPasses) {
  const Table table = random_table(3);
  const Decoded plain = decode(table, {}, 0, 0, 60);
  EXPECT_EQ(plain.appends, 60u);
  const Decoded drafted = decode(table, {.draft = plain.tokens}, 0, 0, 60);
  EXPECT_EQ(drafted.tokens, plain.tokens);
  EXPECT_LE(drafted.appends, 9u);  // seven guesses and one of its own a pass
}

TEST(TokenLoopTest, AnInterruptionKeepsWhatThereIs) {
  const Table table = random_table(5);
  Decoded decoded;
  Sampler sampler(0, 0);
  ToySequence sequence(table);
  sequence.fail_at = 3;
  NoGuesses none;
  auto finish = decode_tokens(sequence, kPrompt, none, loop_into(decoded, sampler, 60));
  ASSERT_TRUE(finish);
  EXPECT_EQ(*finish, FinishReason::Interrupted);
  EXPECT_EQ(decoded.tokens.size(), 3u);
  ToySequence at_once(table);
  at_once.fail_at = 0;
  EXPECT_FALSE(decode_tokens(at_once, kPrompt, none, loop_into(decoded, sampler, 60)));
}

TEST(TokenLoopTest, GuessesStayInsideTheSequence) {
  const Table table = random_table(5);
  ToySequence sequence(table, 8, kPrompt.size() + 10);
  DraftGuesser guesser({.draft = std::vector<int32_t>(50, 1), .prompt = kPrompt, .lookup = true});
  Decoded decoded;
  Sampler sampler(0, 0);
  ASSERT_TRUE(decode_tokens(sequence, kPrompt, guesser, loop_into(decoded, sampler, 10)));
  EXPECT_EQ(decoded.tokens.size(), 10u);
}

// χ² of the answers' frequencies against the model's own probabilities, over all 216 answers of
// three tokens. The draft comes from another model and is drawn anew each time. 99.99 % quantile of
// χ² with 215 degrees of freedom: 300 (Wilson–Hilferty); the seeds are fixed, so that this
// cannot fail by chance.
TEST(TokenLoopTest, SpeculativeSamplingKeepsTheDistribution) {
  const Table target = random_table(21);
  const Table drafter = random_table(22);
  constexpr size_t kRounds = 30000;
  std::vector<double> seen(kTokens * kTokens * kTokens, 0);
  size_t accepted = 0;
  for (uint32_t round = 0; round < kRounds; ++round) {
    const Decoded draft = decode(drafter, {}, 1, round * 2 + 1000000, kLength);
    const Decoded answer = decode(target, {.draft = draft.tokens}, 1, round, kLength);
    accepted += answer.appends < kLength ? 1 : 0;
    size_t index = 0;
    for (const int32_t token : answer.tokens) index = index * kTokens + static_cast<size_t>(token);
    ++seen[index];
  }
  double chi_squared = 0;
  for (size_t index = 0; index < seen.size(); ++index) {
    const size_t a = index / 36;
    const size_t b = index / 6 % 6;
    const size_t c = index % 6;
    const double expected =
        kRounds * target[static_cast<size_t>(kPrompt.back())][a] * target[a][b] * target[b][c];
    chi_squared += (seen[index] - expected) * (seen[index] - expected) / expected;
  }
  EXPECT_LT(chi_squared, 300);
  EXPECT_GT(accepted, kRounds / 20);  // drafts were of some use, or nothing was tested
}

TEST(DraftVerdictTest, SumsTheWholeDraftAndTakesItBackWhereItFails) {
  const Table table = random_table(9);
  const Decoded own = decode(table, {}, 0, 0, 30);
  std::vector<int32_t> draft = own.tokens;
  draft[12] = (draft[12] + 1) % static_cast<int32_t>(kTokens);
  double sum = 0;
  int32_t before = kPrompt.back();
  for (const int32_t token : draft) {
    sum += std::log(table[static_cast<size_t>(before)][static_cast<size_t>(token)]);
    before = token;
  }
  const double mean = sum / static_cast<double>(draft.size());
  for (const double slack : {-0.01, 0.01}) {
    Decoded decoded;
    Sampler sampler(0, 0);
    ToySequence sequence(table);
    auto verdict = judge_draft(sequence, kPrompt, draft, mean + slack,
                               loop_into(decoded, sampler, 30));
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->endorsed, slack < 0);
    EXPECT_EQ(verdict->agreed, 12u);
    EXPECT_EQ(verdict->own_token, own.tokens[12]);
    EXPECT_EQ(sequence.length(), kPrompt.size() + (slack < 0 ? draft.size() - 1 : 12));
  }
}

TEST(DraftVerdictTest, ADraftThatIsTheOwnAnswerNeedsNoLikelihood) {
  const Table table = random_table(9);
  const Decoded own = decode(table, {}, 0, 0, 30);
  Decoded decoded;
  Sampler sampler(0, 0);
  ToySequence sequence(table);
  auto verdict = judge_draft(sequence, kPrompt, own.tokens, 0, loop_into(decoded, sampler, 30));
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->endorsed);
  EXPECT_EQ(verdict->agreed, 30u);
}

TEST(DraftGuesserTest, LookupGuessesWhatFollowedBeforeAndStopsWhereItDoesNotPay) {
  const std::vector<int32_t> prompt = {1, 2, 3, 4, 5, 9, 9};
  DraftGuesser guesser({.draft = {}, .prompt = prompt, .lookup = true});
  EXPECT_TRUE(guesser.guess(8).empty());
  const std::vector<int32_t> one = {2};
  const std::vector<int32_t> two = {3};
  guesser.decided(one, 0);
  guesser.decided(two, 0);
  const auto guesses = guesser.guess(8);
  ASSERT_GE(guesses.size(), 2u);
  EXPECT_EQ(guesses[0], 4);
  EXPECT_EQ(guesses[1], 5);
  // Always wrong from here on.
  for (int i = 0; i < 30; ++i) {
    const std::vector<int32_t> key = {2};
    guesser.decided(key, guesser.guess(8).size());
    const std::vector<int32_t> next = {3};
    guesser.decided(next, guesser.guess(8).size());
  }
  EXPECT_TRUE(guesser.guess(8).empty());
  DraftReport report;
  guesser.report(report);
  EXPECT_LE(report.guessed, 40);
}

}  // namespace
}  // namespace tinyarms::engine
