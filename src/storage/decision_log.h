// What was decided, on what evidence, and how it turned out: every climb of the cascade, so that
// other policies can be judged on it later and drift can be noticed. Of a question only its hash
// and length are kept, unless the caller hands the text over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/database.h"

namespace tinyarms::storage {

struct LoggedStep {
  std::string level{};    // "l2"
  std::string verdict{};  // "accept", "escalate", …
  bool answered = false;
  std::string source{};
  std::string model{};  // with the next three: what served
  std::string quantization{};
  std::string engine{};
  std::string sampler{};
  std::optional<double> confidence{};
  bool calibrated = false;
  std::string certificate{};  // hash of the one that covered the answer; empty: none
  std::optional<double> threshold{};
  double propensity = 1;
  double seconds = 0;
  int64_t tokens = 0;       // generated
  std::string evidence{};   // a JSON object
  std::optional<bool> good{};  // the last outcome told of this answer; only when read
};

struct LoggedDecision {
  std::string id{};  // 1 to 64 bytes; unique
  double at = 0;     // seconds since 1970 UTC
  std::string question_sha{};
  int64_t question_bytes = 0;
  std::string question{};  // empty unless it is to be kept
  std::string group{};
  std::string policy{};  // hash of the terms in force
  int winner = -1;       // index of the step that gave the reply; -1: none did
  bool sure = false;
  std::vector<LoggedStep> steps{};
  std::string request{};  // id of the request, as its reply had it; empty: it had none
  std::string shadow{};  // what a second look at the reply needs; empty: none is to be taken
};

// A kept answer that waits for a second look.
struct WaitingShadow {
  std::string id{};
  std::string text{};
};

// How a kept answer under a certificate turned out, in the order in which that was told.
struct CertifiedOutcome {
  std::string id{};
  bool good = false;
};

// Which decisions to read; each bound narrows.
struct LogRange {
  int64_t after = 0;   // numbers above this one (LogMark)
  int64_t up_to = 0;   // and not above this one; 0: to the end
  double since = 0;    // seconds since 1970 UTC
  int64_t newest = 0;  // only that many of the last; 0: all
};

// How far the log has come: what changed since then has larger numbers.
struct LogMark {
  int64_t decision = 0;
  int64_t outcome = 0;
  friend bool operator==(const LogMark&, const LogMark&) = default;
};

struct DecisionLogOptions {
  int64_t decisions_max = 1'000'000;  // the oldest go first, with their outcomes
  double seconds_max = 0;             // older ones go; 0: any age
};

// One thread at a time; any number of processes. All calls: the errors of Database.
class DecisionLog {
 public:
  static Result<std::unique_ptr<DecisionLog>> open(const std::filesystem::path& path,
                                                   const Clock& clock,
                                                   const DecisionLogOptions& options = {});
  // For a file that a user named: it must be there and be a decision log, and is left alone where
  // it is not. Errors: NotFound, Unsupported too.
  static Result<std::unique_ptr<DecisionLog>> open_existing(const std::filesystem::path& path,
                                                            const Clock& clock);

  // All or none. What the options no longer keep goes with it.
  Result<void> append(std::span<const LoggedDecision> decisions);

  // Lets go what the options no longer keep: its bytes are overwritten.
  Result<void> tidy();

  // The id that `word` is or begins (at least four bytes), or that of the request of that name, or
  // the newest one for "last". Errors: NotFound, InvalidArgument (more than one, or too short).
  Result<std::string> resolve(std::string_view word);

  // The evidence of the first step of that level, a JSON object; empty where there is none.
  Result<std::string> evidence_of(const std::string& id, const std::string& level);

  // Of the reply's step. `source`: "feedback", "tests", "shadow", … Errors: NotFound; and
  // InvalidArgument where that climb had no reply.
  Result<void> add_outcome(const std::string& id, bool good, const std::string& source);

  // In the order of writing. The sink's error ends the reading.
  Result<void> read(const std::function<Result<void>(const LoggedDecision&)>& sink,
                    const LogRange& range = {});
  Result<LogMark> mark();

  // The newest ones, newest first; `id`: that one alone.
  Result<std::vector<LoggedDecision>> newest(size_t count, std::string_view id = {});

  // Of replies that were kept under this certificate; the newest outcome of each counts.
  Result<std::vector<CertifiedOutcome>> certified_outcomes(const std::string& certificate);

  // Second looks at kept answers: the one that waits longest; then its verdict, which is an outcome
  // of source "shadow" (nothing: it could not be decided), and its text is gone.
  Result<std::optional<WaitingShadow>> oldest_shadow();
  Result<void> settle_shadow(const std::string& id, std::optional<bool> good);
  Result<int64_t> shadows_waiting();

  const std::string& notice() const { return notice_; }  // what was set aside when it was opened

 private:
  DecisionLog(OpenedDatabase opened, const Clock& clock, const DecisionLogOptions& options)
      : database_(std::move(opened.database)),
        clock_(clock),
        options_(options),
        notice_(std::move(opened.notice)) {}
  Result<void> insert(const LoggedDecision& decision);
  Result<void> insert_shadow(int64_t number, const LoggedDecision& decision);
  Result<LoggedDecision> read_row(Statement& rows);
  Result<void> read_steps(int64_t number, LoggedDecision& decision);
  Result<void> forget_oldest();

  std::unique_ptr<Database> database_;
  const Clock& clock_;
  DecisionLogOptions options_;
  std::string notice_;
};

}  // namespace tinyarms::storage
