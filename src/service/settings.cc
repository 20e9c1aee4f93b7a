#include "service/settings.h"

#include <fmt/format.h>

#include <cmath>

#include "service/settings_size.h"
#include "service/settings_value.h"

namespace tinyarms::service {
namespace {

using Kind = SettingKind;
using Rule = ProjectRule;

// A field of Settings, as a function pointer that the table can hold.
#define TINYARMS_FIELD(path) [](Settings& s) -> FieldRef { return &s.path; }

constexpr double kSeedMax = 4294967295.0;
constexpr double kContextMin = 256;
constexpr double kContextMax = 1048576;
constexpr std::string_view kWhyNotLooser =
    "two texts less alike than 0.7 are different questions, and one would get the other's answer";

constexpr SettingInfo kSettings[] = {
    {"offline", Kind::Flag, Rule::Forbidden, TINYARMS_FIELD(offline),
     "Opens no network connection at all; the remote tier is skipped."},
    {"threads", Kind::Integer, Rule::Forbidden, TINYARMS_FIELD(threads),
     "Threads a model computes with; 0 is one a core.", 0, 512},
    {"memory_budget", Kind::Size, Rule::Forbidden, TINYARMS_FIELD(memory_budget_bytes),
     "What loaded models may take in all, e.g. \"2.5GB\" or \"7.2GiB\"; \"auto\" is 60 % of the "
     "physical memory."},
    {"models.idle_seconds", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(models.idle_seconds),
     "A language model that nobody used for so long leaves the memory; 0: it stays.", 0, 31536000},
    {"models.keep", Kind::TextList, Rule::Forbidden, TINYARMS_FIELD(models.keep),
     "Models that stay once they are loaded, idle or not, and make room for no other: names of "
     "`tinyarms models list`, or paths."},
    {"models.parallel", Kind::Integer, Rule::Forbidden, TINYARMS_FIELD(models.parallel),
     "Requests that a model computes at once, each with room for a whole context; 0 is as many as "
     "ask at the same time (`serve --workers`), 8 at most.", 0, 64},
    {"models.trial_margin", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(models.trial_margin),
     "Points of accuracy that a model on trial must be better by, with 95 % confidence, before "
     "`tinyarms models migrate` puts it into a tier.", 0, 100},
    {"prefix.memory_limit", Kind::SizeOrOff, Rule::Forbidden, TINYARMS_FIELD(prefix.memory_bytes),
     "What computed beginnings of prompts may take in memory beside the models, where a model has "
     "no room for them; only of what memory_budget leaves. \"off\" or 0: none."},
    {"prefix.disk_limit", Kind::SizeOrOff, Rule::Forbidden, TINYARMS_FIELD(prefix.disk_bytes),
     "What computed beginnings of prompts may take on disk, so that a restart need not compute "
     "them again, e.g. \"512MB\"; they hold the prompts' words. \"off\" or 0: none."},
    {"pull.hub", Kind::Url, Rule::Forbidden, TINYARMS_FIELD(pull.hub),
     "Where `tinyarms pull` looks models up: Hugging Face, or a hub that answers as it does."},
    {"pull.hosts", Kind::TextList, Rule::Forbidden, TINYARMS_FIELD(pull.hosts),
     "Hosts that files may come from, each redirect included; \"*.name\" is any below it. One on "
     "this machine (\"127.0.0.1:8080\") may speak plain http."},
    {"pull.mirrors", Kind::TextList, Rule::Forbidden, TINYARMS_FIELD(pull.mirrors),
     "Folders made by `tinyarms models export`, as paths, file:// or https:// addresses; asked "
     "before the hub."},
    {"pull.token_env", Kind::VariableName, Rule::Forbidden, TINYARMS_FIELD(pull.token_env),
     "Name of the environment variable with the hub's token, for repositories that want one."},
    {"pull.token_file", Kind::Path, Rule::Forbidden, TINYARMS_FIELD(pull.token_file),
     "File with that token, readable by you alone (mode 0600); empty: hub-token beside the "
     "configuration."},
    {"pull.connections", Kind::Integer, Rule::Forbidden, TINYARMS_FIELD(pull.connections),
     "Parts of a file that are fetched at once.", 1, 16},
    {"pull.size_max_gb", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(pull.size_max_gb),
     "Largest file that is fetched, in gigabytes.", 0.000001, 10000},
    {"stream", Kind::Choice, Rule::Allowed, TINYARMS_FIELD(stream),
     "Prints an answer while it is written; \"auto\" does so on a terminal."},
    {"color", Kind::Choice, Rule::Allowed, TINYARMS_FIELD(color),
     "Colours and progress; \"auto\" has them on a terminal."},
    {"use_server", Kind::Flag, Rule::Forbidden, TINYARMS_FIELD(use_server),
     "`ask` and `chat` hand questions to this user's running server where it would answer the "
     "same."},
    {"confidence_threshold", Kind::Number, Rule::Allowed, TINYARMS_FIELD(confidence_threshold),
     "Confidence an answer must reach, at every tier without a threshold of its own.", 0, 1},
    {"thresholds.l0", Kind::Number, Rule::Allowed, TINYARMS_FIELD(level_thresholds[0]),
     "Confidence that a rule's answer must reach; unset: 0.5 (uncalibrated).", 0, 1},
    {"thresholds.l1", Kind::Number, Rule::Allowed, TINYARMS_FIELD(level_thresholds[1]),
     "Confidence that a cached answer must reach; unset: 0.5 (uncalibrated).", 0, 1},
    {"thresholds.l2", Kind::Number, Rule::Allowed, TINYARMS_FIELD(level_thresholds[2]),
     "Confidence that the small model's answer must reach; unset: 0.6 (uncalibrated).", 0, 1},
    {"thresholds.l3", Kind::Number, Rule::Allowed, TINYARMS_FIELD(level_thresholds[3]),
     "Confidence that the larger model's answer must reach; unset: 0.5 (uncalibrated).", 0, 1},
    {"thresholds.l4", Kind::Number, Rule::Allowed, TINYARMS_FIELD(level_thresholds[4]),
     "Confidence that the remote model's answer must reach; unset: 0, the last resort counts.", 0,
     1},
    {"sampling.temperature", Kind::Number, Rule::Allowed, TINYARMS_FIELD(sampling.temperature),
     "0 always takes the likeliest token; higher is more varied.", 0, 2},
    {"sampling.seed", Kind::Integer, Rule::Allowed, TINYARMS_FIELD(sampling.seed),
     "Where chance starts from: the same seed gives the same answer.", 0, kSeedMax},
    {"sampling.max_tokens", Kind::Integer, Rule::Allowed, TINYARMS_FIELD(sampling.max_tokens),
     "Longest answer, in tokens.", 1, 131072},
    {"sampling.stop", Kind::TextList, Rule::Allowed, TINYARMS_FIELD(sampling.stop),
     "Texts before the first of which an answer ends."},
    {"l0.enabled", Kind::Flag, Rule::Allowed, TINYARMS_FIELD(l0.enabled),
     "Tier L0, the rules."},
    {"l0.packs", Kind::PathList, Rule::Forbidden, TINYARMS_FIELD(l0.packs),
     "Rule packs beside those that are built in: paths of YAML files."},
    {"l1.enabled", Kind::Flag, Rule::Allowed, TINYARMS_FIELD(l1.enabled),
     "Tier L1, intent and cached answers by sentence embedding."},
    {"l1.model", Kind::Model, Rule::StoreOnly, TINYARMS_FIELD(l1.model),
     "The embedding model."},
    {"l1.cache", Kind::Flag, Rule::Allowed, TINYARMS_FIELD(l1.cache),
     "Keeps answers and gives them again to the same or nearly the same question."},
    {"l1.similarity", Kind::Number, Rule::Allowed, TINYARMS_FIELD(l1.similarity),
     "Cosine from which two questions count as the same.", 0.7, 1, kWhyNotLooser},
    {"l1.cache_entries", Kind::Integer, Rule::Forbidden, TINYARMS_FIELD(l1.cache_entries),
     "Answers the cache keeps; the least used go first.", 1, 10000000},
    {"l1.cache_size", Kind::Size, Rule::Forbidden, TINYARMS_FIELD(l1.cache_bytes),
     "What the answers kept may take in all; the least used go first. \"auto\" is 256 MiB."},
    {"l1.cache_ttl", Kind::Integer, Rule::Forbidden, TINYARMS_FIELD(l1.cache_seconds),
     "Seconds after which an answer is not given again; 0 keeps it for ever.", 0, 2147483647},
    {"l1.reranker", Kind::Model, Rule::StoreOnly, TINYARMS_FIELD(l1.reranker),
     "What `tinyarms rerank` takes where nothing is named: off (then late interaction), "
     "late-interaction, yes-no, or the name of a cross-encoder."},
    {"l1.index", Kind::Flag, Rule::Forbidden, TINYARMS_FIELD(l1.index),
     "Looks questions about your own code up in what `tinyarms index add` indexed."},
    {"l1.index_budget", Kind::Integer, Rule::Allowed, TINYARMS_FIELD(l1.index_budget),
     "Tokens of found passages that a model is given at most, about; 0 gives none.", 0, 100000},
    {"l1.index_keep_old", Kind::Size, Rule::Forbidden, TINYARMS_FIELD(l1.index_keep_old),
     "What vectors of the embedding model before may take, which `models migrate --back` needs; "
     "\"auto\" is 512 MiB."},
    {"l1.index_word_weight", Kind::Number, Rule::Allowed, TINYARMS_FIELD(l1.index_word_weight),
     "What a point of BM25 counts for in a search, in hundredths of a cosine; 0: vectors alone.", 0,
     100},
    {"l1.index_vector_weight", Kind::Number, Rule::Allowed,
     TINYARMS_FIELD(l1.index_vector_weight),
     "What the cosine counts for in a search; 0: words alone.", 0, 100},
    {"l2.enabled", Kind::Flag, Rule::Allowed, TINYARMS_FIELD(l2.enabled),
     "Tier L2, the small language model."},
    {"l2.model", Kind::Model, Rule::StoreOnly, TINYARMS_FIELD(l2.model),
     "The small language model: a name of `tinyarms models list`, or the path of a GGUF."},
    {"l2.context", Kind::Integer, Rule::Allowed, TINYARMS_FIELD(l2.context),
     "Its context in tokens, at most what it was trained for.", kContextMin, kContextMax},
    {"l2.system_prompt", Kind::Text, Rule::Forbidden, TINYARMS_FIELD(l2.system_prompt),
     "What it is told before the conversation; empty: what its chat template says."},
    {"l2.general_model", Kind::Model, Rule::StoreOnly, TINYARMS_FIELD(l2.general_model),
     "The specialist for \"general\": a second small model for questions that are not about code; "
     "empty: the same as l2.model."},
    {"l2.specialists", Kind::ModelTable, Rule::StoreOnly, TINYARMS_FIELD(l2.specialists),
     "Models for kinds of questions, e.g. l2.specialists.maths = \"MODEL\": an intent (code, "
     "maths, tools, one of your own), multilingual, or language.de and the like."},
    {"l2.thresholds", Kind::ShareTable, Rule::Allowed, TINYARMS_FIELD(l2.thresholds),
     "Confidence that an answer of such a specialist must reach, by the same names.", 0, 1},
    {"l2.ensemble", Kind::ModelPair, Rule::StoreOnly, TINYARMS_FIELD(l2.ensemble),
     "Two models that are both asked instead of l2.model; one of both answers is taken. Empty: "
     "off."},
    {"l2.ensemble_rule", Kind::Rule, Rule::Allowed, TINYARMS_FIELD(l2.ensemble_rule),
     "Which: \"confidence\" the surer one, where both are calibrated; \"behaviour\" the one that "
     "keeps to more of the question's examples."},
    {"l3.enabled", Kind::Flag, Rule::Allowed, TINYARMS_FIELD(l3.enabled),
     "Tier L3, the larger language model."},
    {"l3.model", Kind::Model, Rule::StoreOnly, TINYARMS_FIELD(l3.model),
     "The larger language model; empty: none, the tier is skipped."},
    {"l3.context", Kind::Integer, Rule::Allowed, TINYARMS_FIELD(l3.context),
     "Its context in tokens, at most what it was trained for.", kContextMin, kContextMax},
    {"l3.system_prompt", Kind::Text, Rule::Forbidden, TINYARMS_FIELD(l3.system_prompt),
     "What it is told before the conversation; empty: what its chat template says."},
    {"l3.specialists", Kind::ModelTable, Rule::StoreOnly, TINYARMS_FIELD(l3.specialists),
     "Models for kinds of questions, as l2.specialists."},
    {"l3.thresholds", Kind::ShareTable, Rule::Allowed, TINYARMS_FIELD(l3.thresholds),
     "Confidence that an answer of such a specialist must reach.", 0, 1},
    {"l3.ensemble", Kind::ModelPair, Rule::StoreOnly, TINYARMS_FIELD(l3.ensemble),
     "Two models that are both asked instead of l3.model; empty: off."},
    {"l3.ensemble_rule", Kind::Rule, Rule::Allowed, TINYARMS_FIELD(l3.ensemble_rule),
     "Whose answer is taken, as l2.ensemble_rule."},
    {"specialists.certainty", Kind::Number, Rule::Allowed,
     TINYARMS_FIELD(specialists.certainty),
     "Probability that an intent must have for its specialist to be asked; below, the tier's usual "
     "model is.", 0, 1},
    {"l4.url", Kind::UrlList, Rule::Forbidden, TINYARMS_FIELD(l4.urls),
     "Base address of an OpenAI-compatible or Anthropic API, or a list of several that serve the "
     "same model; empty: no remote tier. Used only with offline = false."},
    {"l4.kind", Kind::Remote, Rule::Forbidden, TINYARMS_FIELD(l4.kind),
     "Which API is spoken there: \"openai\" (chat completions) or \"anthropic\" (messages)."},
    {"l4.model", Kind::Text, Rule::Forbidden, TINYARMS_FIELD(l4.model),
     "The model's name there."},
    {"l4.api_key_env", Kind::VariableName, Rule::Forbidden, TINYARMS_FIELD(l4.api_key_env),
     "Name of the environment variable that holds the key, never the key itself."},
    {"l4.api_key_file", Kind::Path, Rule::Forbidden, TINYARMS_FIELD(l4.api_key_file),
     "File that holds the key instead, readable by you alone (mode 0600)."},
    {"l4.budget_per_day", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(l4.budget_per_day),
     "US dollars that the remote tier may cost a day (UTC), whatever asks it on this account; 0: "
     "no limit. Needs a price.", 0, 1000000},
    {"l4.price_input", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(l4.price_input),
     "US dollars a million tokens read; unset: what the catalogue says of l4.model.", 0, 1000000},
    {"l4.price_output", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(l4.price_output),
     "US dollars a million tokens written; unset: as above.", 0, 1000000},
    {"escalation.speculate", Kind::Toggle, Rule::Allowed, TINYARMS_FIELD(escalation.speculate),
     "L3 looks at L2's draft and goes on where it would write something else; \"auto\" where that "
     "is foretold to be quicker."},
    {"escalation.lookup", Kind::Toggle, Rule::Allowed, TINYARMS_FIELD(escalation.lookup),
     "L3 guesses tokens from the draft, and from the question where it holds code (\"auto\") or "
     "always (\"on\")."},
    {"escalation.endorse", Kind::Number, Rule::Allowed, TINYARMS_FIELD(escalation.endorse),
     "Takes a whole draft whose tokens L3 gives this geometric mean probability; 1: only what it "
     "would have written itself.", 0.01, 1},
    {"escalation.prefetch", Kind::Toggle, Rule::Forbidden, TINYARMS_FIELD(escalation.prefetch),
     "L3 is loaded and reads the question while L2 still writes: where such questions climbed more "
     "often than not (\"auto\"), or always (\"on\")."},
    {"calibration.files", Kind::PathList, Rule::Forbidden, TINYARMS_FIELD(calibration.files),
     "What `tinyarms calibrate --out` and `certify issue --out` wrote: files, or folders of them."},
    {"calibration.allow_foreign", Kind::Flag, Rule::Forbidden,
     TINYARMS_FIELD(calibration.allow_foreign),
     "Uses a calibrator also for another model, engine or sampler than it was fitted to."},
    {"policy.file", Kind::Path, Rule::Forbidden, TINYARMS_FIELD(policy.file),
     "Terms of the decisions, as TOML (docs/policy.md); empty: the thresholds above alone."},
    {"policy.explore", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(policy.explore),
     "Share of open decisions that chance turns, so that `tinyarms replay` can judge other "
     "policies.", 0, 0.5},
    {"signals.enabled", Kind::TextList, Rule::Forbidden, TINYARMS_FIELD(signals.enabled),
     "Evidence measured beside that of the tokens, by name (tinyarms signals list)."},
    {"shadow.share", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(shadow.share),
     "Share of kept answers that `tinyarms shadow` shows to the next tier; their texts wait in the "
     "log until then.", 0, 1},
    {"log.decisions", Kind::Flag, Rule::Forbidden, TINYARMS_FIELD(log.decisions),
     "Keeps every decision with its evidence; of the question only hash and length."},
    {"log.prompts", Kind::Flag, Rule::Forbidden, TINYARMS_FIELD(log.prompts),
     "Keeps the questions' text in that log too."},
    {"log.keep_days", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(log.keep_days),
     "Days after which a decision leaves that log, with its outcomes; 0 keeps any age.", 0, 36500},
    {"log.keep_rows", Kind::Integer, Rule::Forbidden, TINYARMS_FIELD(log.keep_rows),
     "Decisions that log keeps; the oldest go first.", 1, 1000000000},
    {"telemetry.otlp_endpoint", Kind::Url, Rule::Forbidden,
     TINYARMS_FIELD(telemetry.otlp_endpoint),
     "Collector that every question's trace is sent to (OTLP over HTTP, /v1/traces); empty: what "
     "OTEL_EXPORTER_OTLP_ENDPOINT says, else none."},
    {"telemetry.propagate", Kind::Toggle, Rule::Forbidden, TINYARMS_FIELD(telemetry.propagate),
     "Sends the trace's ids (traceparent) along to L4, where questions are traced: \"auto\" to "
     "engines on this machine, \"on\" to all, \"off\" to none."},
    {"cost.watts", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(cost.watts),
     "What this machine is assumed to draw at work, where `tinyarms models measure` could not read "
     "it.", 0, 100000},
    {"cost.kwh_price", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(cost.kwh_price),
     "US dollars a kilowatt-hour.", 0, 1000},
    {"cost.hardware_price", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(cost.hardware_price),
     "US dollars that this machine cost; 0: it is there anyway.", 0, 100000000},
    {"cost.hardware_hours", Kind::Number, Rule::Forbidden, TINYARMS_FIELD(cost.hardware_hours),
     "Hours of answering that its price is spread over.", 1, 1000000},
};

#undef TINYARMS_FIELD

struct AsToml {
  std::string operator()(bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(int* value) const { return fmt::format("{}", *value); }
  std::string operator()(uint32_t* value) const { return fmt::format("{}", *value); }
  std::string operator()(double* value) const { return fmt::format("{}", *value); }
  std::string operator()(std::optional<double>* value) const {
    return *value ? fmt::format("{}", **value) : std::string();
  }
  std::string operator()(std::optional<uint64_t>* value) const {
    return toml_string(*value ? format_size(**value) : "auto");
  }
  std::string operator()(uint64_t* value) const {
    return toml_string(*value == 0 ? "off" : format_size(*value));
  }
  std::string operator()(Switch* value) const { return toml_string(switch_name(*value)); }
  std::string operator()(Toggle* value) const { return toml_string(toggle_name(*value)); }
  std::string operator()(RemoteKind* value) const { return toml_string(remote_kind_name(*value)); }
  std::string operator()(std::string* value) const { return toml_string(*value); }
  std::string operator()(cascade::EnsembleRule* value) const {
    return toml_string(cascade::ensemble_rule_name(*value));
  }
  std::string operator()(std::map<std::string, std::string>* table) const {
    return as_table(*table, [](const std::string& value) { return toml_string(value); });
  }
  std::string operator()(std::map<std::string, double>* table) const {
    return as_table(*table, [](double value) { return fmt::format("{}", value); });
  }
  template <typename Table, typename Written>
  std::string as_table(const Table& table, Written written) const {
    std::string text;
    for (const auto& [name, value] : table) {
      text += fmt::format("{}{} = {}", text.empty() ? "{" : ", ", name, written(value));
    }
    return text.empty() ? text : text + "}";
  }
  std::string operator()(std::vector<std::string>* values) const {
    std::string text = "[";
    for (const std::string& value : *values) {
      if (text.size() > 1) text += ", ";
      text += toml_string(value);
    }
    return text + "]";
  }
};

}  // namespace

uint64_t memory_budget(const Settings& settings, uint64_t physical_bytes) {
  return settings.memory_budget_bytes.value_or(
      static_cast<uint64_t>(kAutoMemoryShare * static_cast<double>(physical_bytes)));
}

std::map<cascade::Level, double> set_thresholds(const Settings& settings) {
  std::map<cascade::Level, double> thresholds;
  for (cascade::Level level : cascade::kLevels) {
    if (auto value = settings.level_thresholds[static_cast<size_t>(level)]) {
      thresholds[level] = *value;
    }
  }
  return thresholds;
}

std::map<cascade::Level, std::map<std::string, double>> set_route_thresholds(
    const Settings& settings) {
  std::map<cascade::Level, std::map<std::string, double>> thresholds;
  if (!settings.l2.thresholds.empty()) thresholds[cascade::Level::L2] = settings.l2.thresholds;
  if (!settings.l3.thresholds.empty()) thresholds[cascade::Level::L3] = settings.l3.thresholds;
  return thresholds;
}

std::map<cascade::Level, double> default_thresholds() {
  using cascade::Level;
  return {{Level::L0, 0.5}, {Level::L1, 0.5}, {Level::L2, 0.6}, {Level::L3, 0.5}, {Level::L4, 0.0}};
}

std::span<const SettingInfo> known_settings() { return kSettings; }

const SettingInfo* find_setting(std::string_view key) {
  for (const SettingInfo& info : kSettings) {
    if (info.key == key) return &info;
  }
  return nullptr;
}

SettingPlace place_of_setting(std::string_view key) {
  if (const SettingInfo* info = find_setting(key)) return {.info = info};
  for (const SettingInfo& info : kSettings) {
    const bool table = info.kind == Kind::ModelTable || info.kind == Kind::ShareTable;
    if (table && key.starts_with(info.key) && key.substr(info.key.size()).starts_with('.')) {
      return {.info = &info, .entry = std::string(key.substr(info.key.size() + 1))};
    }
  }
  return {};
}

bool holds_settings(std::string_view key) {
  const SettingPlace place = place_of_setting(key);
  const bool table = place.info != nullptr && (place.info->kind == Kind::ModelTable ||
                                               place.info->kind == Kind::ShareTable);
  if (table) return place.entry.empty() || place.entry == "language";
  for (const SettingInfo& info : kSettings) {
    if (info.key.starts_with(key) && info.key.substr(key.size()).starts_with('.')) return true;
  }
  return false;
}

std::string environment_name(const SettingInfo& info) {
  std::string name = "TINYARMS_";
  for (char c : info.key) {
    name += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string allowed_values(const SettingInfo& info) {
  switch (info.kind) {
    case Kind::Flag: return "true or false";
    case Kind::Integer:
      return fmt::format("a whole number from {:.0f} to {:.0f}", info.minimum, info.maximum);
    case Kind::Number: return fmt::format("a number from {} to {}", info.minimum, info.maximum);
    case Kind::Size: return "\"auto\" or a size of at least 1MiB, such as \"2.5GB\" or \"512MiB\"";
    case Kind::SizeOrOff: return "\"off\" or a size of at least 1MiB, such as \"512MB\"";
    case Kind::Choice: return "\"auto\", \"always\" or \"never\"";
    case Kind::Toggle: return "\"auto\", \"on\" or \"off\"";
    case Kind::Remote: return "\"openai\" or \"anthropic\"";
    case Kind::Text: return "a text";
    case Kind::TextList: return "a list of texts that are not empty";
    case Kind::Path: return "a path";
    case Kind::PathList: return "a list of paths";
    case Kind::Model: return "a model's name, or the path of a .gguf file";
    case Kind::Url: return "an https:// address, or http:// on this machine, without a password";
    case Kind::UrlList:
      return fmt::format("an https:// address, or http:// on this machine, without a password; or "
                         "a list of at most {}, none of them twice", kUrlsMax);
    case Kind::ModelPair: return "a list of two different models' names or paths, or an empty one";
    case Kind::Rule: return "\"confidence\" or \"behaviour\"";
    case Kind::ModelTable: return "by kind of questions, a model's name or a path: maths = \"…\"";
    case Kind::ShareTable: return "by kind of questions, a number from 0 to 1: maths = 0.8";
    case Kind::VariableName:
      return "the name of an environment variable in capitals, such as \"MY_API_KEY\"";
  }
  return {};
}

std::string value_as_toml(const Settings& settings, const SettingInfo& info) {
  Settings copy = settings;  // fields are reached through a mutable Settings
  if (info.kind == Kind::UrlList) {
    auto& urls = *std::get<std::vector<std::string>*>(info.field(copy));
    if (urls.size() < 2) return toml_string(urls.empty() ? "" : urls.front());
  }
  return std::visit(AsToml{}, info.field(copy));
}

std::string default_as_toml(const SettingInfo& info) { return value_as_toml(Settings{}, info); }

}  // namespace tinyarms::service
