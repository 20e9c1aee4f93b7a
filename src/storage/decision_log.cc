#include "storage/decision_log.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

namespace tinyarms::storage {
namespace {

constexpr size_t kIdBytesMin = 4;
constexpr size_t kIdBytesMax = 64;
constexpr double kNone = -1;  // of a confidence or threshold that there is not

std::optional<double> number_or_none(double value) {
  return value >= 0 ? std::optional(value) : std::nullopt;
}

double stored(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? *value : kNone;
}

double finite(double value) { return std::isfinite(value) ? value : 0; }

// Application id of a SQLite file: big-endian at byte 68 of its header.
bool is_decision_log(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  char header[72] = {};
  if (!stream.read(header, sizeof header)) return false;
  if (std::string_view(header, 15) != "SQLite format 3") return false;
  int64_t id = 0;
  for (int i = 68; i < 72; ++i) id = id * 256 + static_cast<unsigned char>(header[i]);
  return id == kDecisionLogId;
}

}  // namespace

Result<std::unique_ptr<DecisionLog>> DecisionLog::open(const std::filesystem::path& path,
                                                       const Clock& clock,
                                                       const DecisionLogOptions& options) {
  auto opened = Database::open(path, clock, {.schema = decision_log_schema()});
  if (!opened) return opened.error();
  // A question that is no longer to be kept shall not lie in the file's free pages either.
  if (auto set = opened->database->execute("PRAGMA secure_delete = ON"); !set) return set.error();
  return std::unique_ptr<DecisionLog>(new DecisionLog(std::move(*opened), clock, options));
}

Result<std::unique_ptr<DecisionLog>> DecisionLog::open_existing(const std::filesystem::path& path,
                                                                const Clock& clock) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) {
    return Error{ErrorCode::NotFound, "there is no decision log", path.string(),
                 "decisions are logged with log.decisions = true"};
  }
  if (!is_decision_log(path)) {
    return Error{ErrorCode::Unsupported, "is not a decision log", path.string(),
                 "name the file that `log.decisions` writes, or records as JSONL"};
  }
  return open(path, clock);
}

Result<void> DecisionLog::append(std::span<const LoggedDecision> decisions) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  for (const LoggedDecision& decision : decisions) {
    if (auto done = insert(decision); !done) return done;
  }
  if (auto done = forget_oldest(); !done) return done;
  return transaction->commit();
}

Result<void> DecisionLog::insert(const LoggedDecision& decision) {
  if (decision.id.empty() || decision.id.size() > kIdBytesMax) {
    return Error{ErrorCode::InvalidArgument, "a decision's id has 1 to 64 bytes", "decision log",
                 ""};
  }
  auto head = database_->prepare(
      "INSERT INTO decisions (id, at, question_sha, question_bytes, question, question_group, "
      "policy, winner, sure, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number");
  if (!head) return head.error();
  auto row = head->bind(std::string_view(decision.id), decision.at,
                        std::string_view(decision.question_sha), decision.question_bytes,
                        std::string_view(decision.question), std::string_view(decision.group),
                        std::string_view(decision.policy), decision.winner,
                        decision.sure ? 1 : 0, std::string_view(decision.request))
                 .step();
  if (!row) return row.error();
  const int64_t number = head->integer(0);
  head->reset();
  auto insert = database_->prepare(
      "INSERT INTO steps (decision, position, level, verdict, answered, source, model, "
      "quantization, engine, sampler, confidence, calibrated, certificate, threshold, propensity, "
      "seconds, tokens, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return insert.error();
  int64_t position = 0;
  for (const LoggedStep& step : decision.steps) {
    auto done =
        insert
            ->bind(number, position++, std::string_view(step.level), std::string_view(step.verdict),
                   step.answered ? 1 : 0, std::string_view(step.source),
                   std::string_view(step.model), std::string_view(step.quantization),
                   std::string_view(step.engine), std::string_view(step.sampler),
                   stored(step.confidence), step.calibrated ? 1 : 0,
                   std::string_view(step.certificate), stored(step.threshold),
                   finite(step.propensity), finite(step.seconds), step.tokens,
                   std::string_view(step.evidence))
            .run();
    if (!done) return done;
  }
  return decision.shadow.empty() ? Result<void>() : insert_shadow(number, decision);
}

Result<void> DecisionLog::insert_shadow(int64_t number, const LoggedDecision& decision) {
  auto insert = database_->prepare("INSERT INTO shadows (decision, text) VALUES (?, ?)");
  if (!insert) return insert.error();
  return insert->bind(number, std::string_view(decision.shadow)).run();
}

Result<std::optional<WaitingShadow>> DecisionLog::oldest_shadow() {
  auto rows = database_->prepare(
      "SELECT decisions.id, shadows.text FROM shadows JOIN decisions ON decisions.number = "
      "shadows.decision ORDER BY shadows.decision LIMIT 1");
  if (!rows) return rows.error();
  auto row = rows->step();
  if (!row) return row.error();
  if (!*row) return std::optional<WaitingShadow>();
  return std::optional(WaitingShadow{std::string(rows->text(0)), std::string(rows->text(1))});
}

Result<void> DecisionLog::settle_shadow(const std::string& id, std::optional<bool> good) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  if (good) {
    if (auto added = add_outcome(id, *good, "shadow"); !added) return added;
  }
  auto erase = database_->prepare(
      "DELETE FROM shadows WHERE decision = (SELECT number FROM decisions WHERE id = ?)");
  if (!erase) return erase.error();
  if (auto done = erase->bind(std::string_view(id)).run(); !done) return done;
  return transaction->commit();
}

Result<int64_t> DecisionLog::shadows_waiting() {
  auto rows = database_->prepare("SELECT count(*) FROM shadows");
  if (!rows) return rows.error();
  auto row = rows->step();
  if (!row) return row.error();
  return rows->integer(0);
}

Result<void> DecisionLog::forget_oldest() {
  auto erase = database_->prepare(
      "DELETE FROM decisions WHERE number <= (SELECT max(number) FROM decisions) - ?");
  if (!erase) return erase.error();
  if (auto done = erase->bind(options_.decisions_max).run(); !done) return done;
  if (options_.seconds_max <= 0) return {};
  auto expire = database_->prepare("DELETE FROM decisions WHERE at < ?");
  if (!expire) return expire.error();
  return expire->bind(clock_.wall_seconds() - options_.seconds_max).run();
}

Result<void> DecisionLog::tidy() {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  if (auto done = forget_oldest(); !done) return done;
  return transaction->commit();
}

Result<std::string> DecisionLog::resolve(std::string_view word) {
  const bool newest = word == "last";
  if (!newest && word.size() < kIdBytesMin) {
    return Error{ErrorCode::InvalidArgument, fmt::format("`{}` is too short for an id", word), "",
                 "give at least its first four characters, or `last`"};
  }
  auto rows = database_->prepare(
      newest ? "SELECT id FROM decisions WHERE ? <> '' ORDER BY number DESC LIMIT 1"
             : "SELECT id FROM decisions WHERE substr(id, 1, length(?1)) = ?1 OR request = ?1 "
               "ORDER BY id = ?1 DESC LIMIT 2");
  if (!rows) return rows.error();
  rows->bind(word);
  std::vector<std::string> found;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) break;
    found.emplace_back(rows->text(0));
  }
  // A client may have named its request as it liked, like another's decision too.
  if (found.size() == 1 || (!found.empty() && found[0] == word)) return found[0];
  if (found.empty()) {
    return Error{ErrorCode::NotFound, fmt::format("no decision `{}` in the log", word), "",
                 "`tinyarms ask --json` tells the id; log.decisions must be on"};
  }
  return Error{ErrorCode::InvalidArgument, fmt::format("`{}` means several decisions", word), "",
               "give more of the decision's own id"};
}

Result<void> DecisionLog::add_outcome(const std::string& id, bool good, const std::string& source) {
  auto find = database_->prepare("SELECT number, winner FROM decisions WHERE id = ?");
  if (!find) return find.error();
  auto row = find->bind(std::string_view(id)).step();
  if (!row) return row.error();
  if (!*row) {
    return Error{ErrorCode::NotFound, fmt::format("no decision `{}` in the log", id), "", ""};
  }
  const int64_t number = find->integer(0);
  const int64_t winner = find->integer(1);
  find->reset();
  if (winner < 0) {
    return Error{ErrorCode::InvalidArgument, "that question got no answer to judge", id, ""};
  }
  auto insert = database_->prepare(
      "INSERT INTO outcomes (decision, position, good, source, at) VALUES (?, ?, ?, ?, ?)");
  if (!insert) return insert.error();
  return insert
      ->bind(number, winner, good ? 1 : 0, std::string_view(source), clock_.wall_seconds())
      .run();
}

Result<std::string> DecisionLog::evidence_of(const std::string& id, const std::string& level) {
  auto rows = database_->prepare(
      "SELECT evidence FROM steps WHERE level = ? AND decision = "
      "(SELECT number FROM decisions WHERE id = ?) ORDER BY position LIMIT 1");
  if (!rows) return rows.error();
  auto row = rows->bind(std::string_view(level), std::string_view(id)).step();
  if (!row) return row.error();
  return *row ? std::string(rows->text(0)) : std::string();
}

Result<LogMark> DecisionLog::mark() {
  auto rows = database_->prepare(
      "SELECT (SELECT ifnull(max(number), 0) FROM decisions), "
      "(SELECT ifnull(max(number), 0) FROM outcomes)");
  if (!rows) return rows.error();
  auto row = rows->step();
  if (!row) return row.error();
  return LogMark{rows->integer(0), rows->integer(1)};
}

Result<void> DecisionLog::read(const std::function<Result<void>(const LoggedDecision&)>& sink,
                               const LogRange& range) {
  auto rows = database_->prepare(
      "SELECT number, id, at, question_sha, question_bytes, question, question_group, policy, "
      "winner, sure, request FROM decisions WHERE number > ?1 AND at >= ?2 AND (?3 = 0 OR number "
      "> (SELECT max(number) FROM decisions) - ?3) AND (?4 = 0 OR number <= ?4) ORDER BY number");
  if (!rows) return rows.error();
  rows->bind(range.after, range.since, range.newest, range.up_to);
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    auto decision = read_row(*rows);
    if (!decision) return decision.error();
    if (auto taken = sink(*decision); !taken) return taken;
  }
}

Result<std::vector<LoggedDecision>> DecisionLog::newest(size_t count, std::string_view id) {
  auto rows = database_->prepare(
      "SELECT number, id, at, question_sha, question_bytes, question, question_group, policy, "
      "winner, sure, request FROM decisions WHERE ?1 = '' OR id = ?1 ORDER BY number DESC "
      "LIMIT ?2");
  if (!rows) return rows.error();
  rows->bind(id, static_cast<int64_t>(count));
  std::vector<LoggedDecision> found;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return found;
    auto decision = read_row(*rows);
    if (!decision) return decision.error();
    found.push_back(std::move(*decision));
  }
}

// The row at hand, with its steps.
Result<LoggedDecision> DecisionLog::read_row(Statement& rows) {
  LoggedDecision decision{.id = std::string(rows.text(1)),
                          .at = rows.real(2),
                          .question_sha = std::string(rows.text(3)),
                          .question_bytes = rows.integer(4),
                          .question = std::string(rows.text(5)),
                          .group = std::string(rows.text(6)),
                          .policy = std::string(rows.text(7)),
                          .winner = static_cast<int>(rows.integer(8)),
                          .sure = rows.integer(9) != 0,
                          .request = std::string(rows.text(10))};
  if (auto done = read_steps(rows.integer(0), decision); !done) return done.error();
  // A garbled file must not point beyond its own steps.
  if (decision.winner >= static_cast<int>(decision.steps.size())) decision.winner = -1;
  return decision;
}

Result<void> DecisionLog::read_steps(int64_t number, LoggedDecision& decision) {
  auto rows = database_->prepare(
      "SELECT level, verdict, answered, source, model, quantization, engine, sampler, confidence, "
      "calibrated, certificate, threshold, propensity, seconds, tokens, evidence, "
      "(SELECT good FROM outcomes WHERE outcomes.decision = steps.decision AND "
      "outcomes.position = steps.position ORDER BY number DESC LIMIT 1) IS NOT NULL, "
      "(SELECT good FROM outcomes WHERE outcomes.decision = steps.decision AND "
      "outcomes.position = steps.position ORDER BY number DESC LIMIT 1) "
      "FROM steps WHERE decision = ? ORDER BY position");
  if (!rows) return rows.error();
  rows->bind(number);
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    LoggedStep& step = decision.steps.emplace_back();
    step.level = rows->text(0);
    step.verdict = rows->text(1);
    step.answered = rows->integer(2) != 0;
    step.source = rows->text(3);
    step.model = rows->text(4);
    step.quantization = rows->text(5);
    step.engine = rows->text(6);
    step.sampler = rows->text(7);
    step.confidence = number_or_none(rows->real(8));
    step.calibrated = rows->integer(9) != 0;
    step.certificate = rows->text(10);
    step.threshold = number_or_none(rows->real(11));
    step.propensity = rows->real(12);
    step.seconds = rows->real(13);
    step.tokens = rows->integer(14);
    step.evidence = rows->text(15);
    if (rows->integer(16) != 0) step.good = rows->integer(17) != 0;
  }
}

Result<std::vector<CertifiedOutcome>> DecisionLog::certified_outcomes(
    const std::string& certificate) {
  // Of several outcomes of one answer the newest counts, at the place of the first: a correction
  // must not look like one more observation.
  auto rows = database_->prepare(
      "SELECT decisions.id, (SELECT good FROM outcomes AS newest WHERE newest.decision = "
      "outcomes.decision ORDER BY newest.number DESC LIMIT 1) "
      "FROM outcomes JOIN decisions ON decisions.number = outcomes.decision "
      "JOIN steps ON steps.decision = outcomes.decision AND steps.position = outcomes.position "
      "WHERE steps.certificate = ? AND steps.verdict = 'accept' "
      "GROUP BY outcomes.decision ORDER BY min(outcomes.number)");
  if (!rows) return rows.error();
  rows->bind(std::string_view(certificate));
  std::vector<CertifiedOutcome> outcomes;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return outcomes;
    outcomes.push_back({std::string(rows->text(0)), rows->integer(1) != 0});
  }
}

}  // namespace tinyarms::storage
