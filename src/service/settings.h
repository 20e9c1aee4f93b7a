// Every setting tinyArms has: the typed values (Settings) and, as one table, what each is called,
// what it may be and what it means (SettingInfo). Checks, `config show`, the manual, the names of
// environment variables and the rules for project files all derive from the table; the defaults
// are the initialisers below.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cascade/ensemble.h"
#include "cascade/level.h"

namespace tinyarms::service {

enum class Switch { Auto, Always, Never };  // Auto: on a terminal only

struct SamplingSettings {
  double temperature = 0;
  uint32_t seed = 0;
  int max_tokens = 512;
  std::vector<std::string> stop;
};

struct RuleSettings {
  bool enabled = true;
  std::vector<std::string> packs;  // paths
};

struct EmbeddingSettings {
  bool enabled = true;
  std::string model = "all-minilm-l6-v2.f32";
  bool cache = true;
  double similarity = 0.97;
  int cache_entries = 10000;
  std::optional<uint64_t> cache_bytes{};  // unset: kAutoCacheBytes
  int cache_seconds = 30 * 24 * 3600;     // 0: any age
  std::string reranker = "off";  // or a method's name, or a model's
  bool index = true;
  int index_budget = 1200;       // tokens
  std::optional<uint64_t> index_keep_old{};  // bytes; unset: kAutoKeepOldBytes
  double index_word_weight = 0.6;
  double index_vector_weight = 1;
};

struct LanguageSettings {
  bool enabled = true;
  std::string model = {};  // a name in the model store or a path; empty: not configured
  int context = 4096;
  std::string system_prompt = {};  // empty: none, the model's own chat template decides
  std::string general_model = {};  // L2 only: the specialist for "general"
  std::map<std::string, std::string> specialists = {};  // kind of questions → model
  std::map<std::string, double> thresholds = {};        // by kind: of that specialist's answers
  std::vector<std::string> ensemble = {};  // two models that stand for `model` together; or none
  cascade::EnsembleRule ensemble_rule = cascade::EnsembleRule::Confidence;
};

struct SpecialistSettings {
  double certainty = 0.5;
};

struct ModelsSettings {
  std::vector<std::string> keep;  // names in the model store, or paths
  double idle_seconds = 600;      // 0: for ever
  int parallel = 0;               // 0: as many as ask at the same time
  double trial_margin = 0;        // points
};

struct PrefixSettings {
  uint64_t memory_bytes = 1'000'000'000;  // of copies, in what memory_budget leaves; 0: none
  uint64_t disk_bytes = 0;                // 0: no prompt is kept on disk
};

enum class RemoteKind { OpenAi, Anthropic };  // which API it speaks

struct RemoteSettings {
  RemoteKind kind = RemoteKind::OpenAi;
  std::vector<std::string> urls;  // of engines that serve the same model; empty: no remote tier
  std::string model;
  std::string api_key_env;   // the name of the variable that holds the key, never the key
  std::string api_key_file;  // instead: a file, mode 0600
  double budget_per_day = 0;            // US dollars; 0: no limit
  std::optional<double> price_input{};  // US dollars a million tokens; both or neither
  std::optional<double> price_output{};
};

struct PullSettings {
  std::string hub = "https://huggingface.co";
  std::vector<std::string> hosts = {"huggingface.co", "*.huggingface.co", "*.hf.co"};
  std::vector<std::string> mirrors;      // folders that `models export` made, asked before the hub
  std::string token_env = "HF_TOKEN";    // the name of the variable, never the token
  std::string token_file;                // mode 0600; empty: hub-token beside the configuration
  int connections = 4;
  double size_max_gb = 100;
};

struct CalibrationSettings {
  std::vector<std::string> files;  // calibrators and certificates, or folders of them
  bool allow_foreign = false;
};

enum class Toggle { Auto, On, Off };

struct EscalationSettings {
  Toggle speculate = Toggle::Auto;
  Toggle lookup = Toggle::Auto;
  double endorse = 1;
  Toggle prefetch = Toggle::Off;
};

struct PolicySettings {
  std::string file;  // empty: the built-in terms
  double explore = 0;
};

struct SignalSettings {
  std::vector<std::string> enabled;  // names of signals/registry.h
};

struct ShadowSettings {
  double share = 0;  // of kept answers that a higher tier looks at later
};

struct LogSettings {
  bool decisions = false;
  bool prompts = false;
  double keep_days = 0;        // 0: any age
  int keep_rows = 1'000'000;
};

struct TelemetrySettings {
  std::string otlp_endpoint;         // base address of a collector; empty: OTEL_* decide
  Toggle propagate = Toggle::Auto;   // `traceparent` to L4; Auto: to engines on this machine
};

// What a question is reckoned at, where nothing better is known. US dollars.
struct CostSettings {
  double watts = 65;
  double kwh_price = 0.3;
  double hardware_price = 0;
  double hardware_hours = 10000;
};

struct Settings {
  bool offline = true;
  int threads = 0;                              // 0: every core
  std::optional<uint64_t> memory_budget_bytes;  // nothing: kAutoMemoryShare of the memory
  Switch stream = Switch::Auto;
  Switch color = Switch::Auto;
  bool use_server = true;
  std::optional<double> confidence_threshold;
  std::array<std::optional<double>, 5> level_thresholds;  // by level, L0 first
  SamplingSettings sampling;
  RuleSettings l0;
  EmbeddingSettings l1;
  LanguageSettings l2{.model = "smollm2-135m-instruct.q4_1"};
  LanguageSettings l3;
  SpecialistSettings specialists;
  RemoteSettings l4;
  ModelsSettings models;
  PrefixSettings prefix;
  PullSettings pull;
  CalibrationSettings calibration;
  EscalationSettings escalation;
  PolicySettings policy;
  SignalSettings signals;
  ShadowSettings shadow;
  LogSettings log;
  TelemetrySettings telemetry;
  CostSettings cost;
};

inline constexpr uint64_t kAutoCacheBytes = 256 << 20;
inline constexpr uint64_t kAutoKeepOldBytes = 512 << 20;
inline constexpr size_t kUrlsMax = 16;  // of one remote tier
inline constexpr double kAutoMemoryShare = 0.6;  // of the physical memory

// What the memory budget comes to on a machine with that much memory.
uint64_t memory_budget(const Settings& settings, uint64_t physical_bytes);

// The per-level thresholds that were set, as Request::level_thresholds wants them.
std::map<cascade::Level, double> set_thresholds(const Settings& settings);
// Those of specialists, as Request::route_thresholds wants them.
std::map<cascade::Level, std::map<std::string, double>> set_route_thresholds(
    const Settings& settings);

// The policy's thresholds where nothing is set. Chosen by judgement for uncalibrated numbers:
// rules that answer are trusted, and L4, the last resort, is never turned down.
std::map<cascade::Level, double> default_thresholds();

enum class SettingKind {
  Flag, Integer, Number, Size, SizeOrOff, Choice, Toggle, Remote,
  Text, TextList, Path, PathList, Model, Url, UrlList, VariableName,
  ModelPair, Rule,
  ModelTable, ShareTable  // by kind of questions: "l2.specialists.maths"
};

// A project's .tinyarms.toml comes with whatever was cloned and is not trusted.
enum class ProjectRule {
  Allowed,
  Forbidden,
  StoreOnly,   // a name in the model store, never a path
};

using FieldRef = std::variant<bool*, int*, uint32_t*, double*, std::optional<double>*,
                              std::optional<uint64_t>*, uint64_t*, Switch*, Toggle*, RemoteKind*,
                              std::string*,
                              std::vector<std::string>*,
                              cascade::EnsembleRule*,
                              std::map<std::string, std::string>*,
                              std::map<std::string, double>*>;

struct SettingInfo {
  std::string_view key;  // "l2.model"
  SettingKind kind;
  ProjectRule project;
  FieldRef (*field)(Settings&);
  std::string_view doc;  // one sentence
  double minimum = 0;    // Integer, Number
  double maximum = 0;
  std::string_view range_reason = {};  // why it may not lie outside, where that needs saying
};

// In the order in which people should read them. Lives as long as the program.
std::span<const SettingInfo> known_settings();
const SettingInfo* find_setting(std::string_view key);  // null where there is none

// A key as people write it: a setting, or an entry of one that is a table.
struct SettingPlace {
  const SettingInfo* info = nullptr;  // null where there is none
  std::string entry = {};             // "language.de"; empty: the setting itself
};
SettingPlace place_of_setting(std::string_view key);
// Whether further keys stand below that one.
bool holds_settings(std::string_view key);

std::string environment_name(const SettingInfo& info);  // "TINYARMS_L2_MODEL"
std::string allowed_values(const SettingInfo& info);    // "a whole number from 0 to 512"

// The value as TOML ("\"auto\"", "0.97", "[]"); empty where it is unset.
std::string value_as_toml(const Settings& settings, const SettingInfo& info);
std::string default_as_toml(const SettingInfo& info);

}  // namespace tinyarms::service
