// Decisions, as explain_decision and the resources tell them: those of this process from memory,
// older ones from the log.
#include <fmt/format.h>

#include <algorithm>

#include "mcp/tools.h"
#include "service/judgement.h"
#include "storage/decision_log.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kTracesMax = 20;

OrderedJson number_or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

OrderedJson of_entry(const LedgerEntry& entry) {
  OrderedJson steps = OrderedJson::array();
  for (const OrderedJson& step : entry.reply["trace"]) {
    steps.push_back({{"tier", step["tier"]},
                     {"decision", step["decision"]},
                     {"reason", step["reason"]},
                     {"source", step["source"]},
                     {"confidence", step["confidence"]},
                     {"calibrated", step["calibrated"]},
                     {"threshold", step["threshold"]},
                     {"seconds", step["seconds"]},
                     {"evidence", step["evidence"]}});
  }
  return {{"id", entry.id},
          {"at", utc_time(entry.at)},
          {"tier", entry.reply["tier"]},
          {"sure", entry.reply["sure"]},
          {"confidence", entry.reply["confidence"]},
          {"logged", entry.logged},
          {"steps", std::move(steps)}};
}

OrderedJson of_log(const storage::LoggedDecision& decision) {
  OrderedJson steps = OrderedJson::array();
  for (const storage::LoggedStep& step : decision.steps) {
    OrderedJson evidence = OrderedJson::parse(step.evidence, nullptr, false);
    if (!evidence.is_object()) evidence = OrderedJson::object();
    OrderedJson json = {{"tier", step.level},
                        {"decision", step.verdict},
                        {"reason", ""},
                        {"source", step.source},
                        {"confidence", number_or_null(step.confidence)},
                        {"calibrated", step.calibrated},
                        {"threshold", number_or_null(step.threshold)},
                        {"seconds", step.seconds},
                        {"evidence", std::move(evidence)}};
    if (step.good) json["outcome"] = *step.good ? "good" : "bad";
    steps.push_back(std::move(json));
  }
  const storage::LoggedStep* winner =
      decision.winner >= 0 ? &decision.steps[static_cast<size_t>(decision.winner)] : nullptr;
  return {{"id", decision.id},
          {"at", utc_time(decision.at)},
          {"tier", winner != nullptr ? OrderedJson(winner->level) : OrderedJson(nullptr)},
          {"sure", decision.sure},
          {"confidence",
           winner != nullptr ? number_or_null(winner->confidence) : OrderedJson(nullptr)},
          {"logged", true},
          {"steps", std::move(steps)}};
}

OrderedJson in_short(OrderedJson decision) {
  decision.erase("steps");
  return decision;
}

}  // namespace

Result<OrderedJson> find_decision(Workshop& shop, const Client& client, const std::string& word) {
  if (const auto entry = shop.ledger.find(word, client.owner)) return of_entry(*entry);
  if (!client.files) {
    return Error{ErrorCode::NotFound, fmt::format("no decision \"{}\" of this key", word), "",
                 "the last 64 answers of this server are known"};
  }
  auto log = storage::DecisionLog::open_existing(service::decision_log_path(shop.paths),
                                                 shop.kitchen.clock);
  if (!log) {
    if (log.error().code != ErrorCode::NotFound) return log.error();
    return Error{ErrorCode::NotFound, fmt::format("no decision \"{}\"", word), "",
                 "this server knows its last 64 answers; log.decisions = true keeps all"};
  }
  auto id = (*log)->resolve(word);
  if (!id) return id.error();
  auto found = (*log)->newest(1, *id);
  if (!found) return found.error();
  if (found->empty()) return Error{ErrorCode::NotFound, "that decision is gone", word, ""};
  return of_log(found->front());
}

OrderedJson newest_decisions(Workshop& shop, const Client& client) {
  OrderedJson list = OrderedJson::array();
  std::vector<std::string> seen;
  for (const LedgerEntry& entry : shop.ledger.newest(client.owner)) {
    if (list.size() >= kTracesMax) return list;
    list.push_back(in_short(of_entry(entry)));
    seen.push_back(entry.id);
  }
  if (!client.files) return list;
  auto log = storage::DecisionLog::open_existing(service::decision_log_path(shop.paths),
                                                 shop.kitchen.clock);
  if (!log) return list;
  auto found = (*log)->newest(kTracesMax);
  if (!found) return list;
  for (const storage::LoggedDecision& decision : *found) {
    if (list.size() >= kTracesMax) break;
    if (std::find(seen.begin(), seen.end(), decision.id) != seen.end()) continue;
    list.push_back(in_short(of_log(decision)));
  }
  return list;
}

}  // namespace tinyarms::mcp
