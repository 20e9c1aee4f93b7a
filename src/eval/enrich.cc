#include "eval/enrich.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/sha256.h"
#include "engine/choice_scorer.h"
#include "engine/embedder.h"
#include "engine/generator.h"
#include "eval/journal.h"
#include "eval/runner.h"
#include "eval/task_registry.h"
#include "tiers/answer_evidence.h"
#include "tiers/intent_source.h"

namespace tinyarms::eval {
namespace {

namespace signal = cascade::signal;

std::vector<engine::ChatMessage> chat_of(const std::vector<cascade::Message>& conversation) {
  std::vector<engine::ChatMessage> messages;
  for (const cascade::Message& message : conversation) {
    const char* role = message.role == cascade::Role::System      ? "system"
                       : message.role == cascade::Role::Assistant ? "assistant"
                                                                  : "user";
    messages.push_back({role, message.content});
  }
  return messages;
}

// One model that may be asked; what of it is needed is made when it is first needed.
class Oracle {
 public:
  Oracle(std::filesystem::path path, const EnrichOptions& options, const StopFlag& stop)
      : path_(std::move(path)),
        options_{.context_tokens = options.context_tokens, .threads = options.threads},
        stop_(stop) {}

  bool there() const { return !path_.empty(); }

  Result<std::vector<double>> choose(const std::string& question,
                                     std::span<const std::string> replies) {
    if (auto loaded = load(); !loaded) return loaded.error();
    if (!scorer_) {
      auto made = engine::ChoiceScorer::create(*model_, options_);
      if (!made) return made.error();
      scorer_ = std::move(*made);
    }
    const std::vector<engine::ChatMessage> messages = {{"user", question}};
    auto scores = scorer_->score({.messages = messages}, replies, stop_);
    if (!scores) return scores.error();
    return scores->logprobs;
  }

  Result<std::string> sample(const Item& item, double temperature, uint32_t seed) {
    if (auto loaded = load(); !loaded) return loaded.error();
    if (!generator_) {
      auto made = engine::Generator::create(*model_, options_);
      if (!made) return made.error();
      generator_ = std::move(*made);
    }
    auto generation = generator_->generate(chat_of(item.messages),
                                           {.tokens_max = item.tokens_max,
                                            .temperature = temperature,
                                            .seed = seed,
                                            .stop = item.stop},
                                           stop_, {});
    if (!generation) return generation.error();
    return std::move(generation->text);
  }

 private:
  Result<void> load() {
    if (model_) return {};
    auto model = engine::LanguageModel::load(path_);
    if (!model) return model.error();
    model_ = std::move(*model);
    return {};
  }

  std::filesystem::path path_;
  engine::GeneratorOptions options_;
  const StopFlag& stop_;
  std::unique_ptr<const engine::LanguageModel> model_;
  std::unique_ptr<engine::ChoiceScorer> scorer_;
  std::unique_ptr<engine::Generator> generator_;
};

// What L1 would have left in the trace.
class IntentSource {
 public:
  static Result<std::unique_ptr<IntentSource>> open(const EnrichOptions& options) {
    auto source = std::make_unique<IntentSource>();
    auto encoder = engine::Embedder::load(options.encoder, options.threads);
    if (!encoder) return encoder.error();
    source->encoder_ = std::move(*encoder);
    auto sha256 = sha256_file(options.encoder);
    if (!sha256) return sha256.error();
    auto provided = tiers::provide_head(
        {.encoder = std::move(*sha256), .user_head = {}, .kept_folder = {}},
        [&](std::span<const std::string> texts) { return source->embed(texts); });
    if (!provided) return provided.error();
    source->head_ = std::move(provided->head);
    return source;
  }

  Result<cascade::Trace> trace_of(const std::string& question) {
    auto vectors = embed(std::span(&question, 1));
    if (!vectors) return vectors.error();
    const intent::Intent intent = head_.classify(vectors->front());
    cascade::Step step;
    step.level = cascade::Level::L1;
    step.decision = cascade::Decision::Abstain;
    step.attempt.evidence.set(signal::kIntent, intent.name);
    step.attempt.evidence.set(signal::kIntentProbability, intent.probability);
    step.attempt.evidence.set(signal::kIntentMargin, intent.margin);
    return cascade::Trace{std::move(step)};
  }

 private:
  Result<std::vector<std::vector<float>>> embed(std::span<const std::string> texts) {
    auto embeddings = encoder_->embed(texts);
    if (!embeddings) return embeddings.error();
    std::vector<std::vector<float>> vectors;
    for (auto& embedding : *embeddings) vectors.push_back(std::move(embedding.values));
    return vectors;
  }

  std::unique_ptr<engine::Embedder> encoder_;
  intent::Head head_;
};

// The items that the records answer, by task and id.
class Questions {
 public:
  explicit Questions(std::filesystem::path data) : data_(std::move(data)) {}

  Result<const Item*> find(const BenchRecord& record) {
    auto known = tasks_.find(record.task);
    if (known == tasks_.end()) {
      auto task = find_task(record.task);
      if (!task) return task.error();
      auto items = (*task)->read(data_);
      if (!items) return items.error();
      std::map<std::string, Item> by_id;
      for (Item& item : *items) by_id[item.id] = std::move(item);
      known = tasks_.emplace(record.task, std::move(by_id)).first;
    }
    const auto item = known->second.find(record.item);
    if (item == known->second.end() || prompt_sha(item->second) != record.prompt_sha) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("`{}` is not an item of {} as it is asked now", record.item,
                               record.task),
                   record.id, "give the data that the bench was run on"};
    }
    return &item->second;
  }

 private:
  std::filesystem::path data_;
  std::map<std::string, std::map<std::string, Item>> tasks_;
};

std::string told_to_model(const Item& item) {
  std::string told;
  for (const cascade::Message& message : item.messages) told += message.content + "\n";
  return told;
}

class Enricher {
 public:
  Enricher(const EnrichOptions& options, const signals::Panel& panel, const EnrichAround& around)
      : panel_(panel),
        around_(around),
        questions_(options.data),
        same_(options.model, options, around.stop),
        next_(options.next_model, options, around.stop) {}

  Result<void> open(const EnrichOptions& options) {
    if (options.encoder.empty()) return {};
    auto intents = IntentSource::open(options);
    if (!intents) return intents.error();
    intents_ = std::move(*intents);
    return {};
  }

  Result<BenchRecord> enrich(BenchRecord record, EnrichReport& report) {
    auto found = questions_.find(record);
    if (!found) return found.error();
    const Item& item = **found;
    cascade::Request request;
    request.messages = item.messages;
    cascade::Trace trace;
    if (intents_) {
      auto seen = intents_->trace_of(request.question());
      if (!seen) return seen.error();
      trace = std::move(*seen);
    }
    // What the bench left out because it did not say what the model was told.
    if (item.mode == Mode::Generate) {
      tiers::add_code_evidence(record.answer, record.evidence, told_to_model(item));
    }
    const signals::Instruments instruments = lend(item);
    for (const signals::Measured& measured : panel_.measure(
             {.request = request, .so_far = trace, .answer = record.answer, .stop = around_.stop},
             instruments, around_.clock)) {
      SignalAccount& account = report.signals[std::string(measured.name)];
      account.seconds += measured.seconds;
      if (measured.value) {
        record.evidence.set(measured.name, *measured.value);
        ++account.measured;
      } else if (measured.problem.empty()) {
        ++account.absent;
      } else {
        ++account.failed;
        if (account.problem.empty()) account.problem = measured.problem;
      }
    }
    return record;
  }

 private:
  signals::Instruments lend(const Item& item) {
    signals::Instruments lent{.judge = &around_.judge};
    const auto asking = [](Oracle& oracle) {
      return [&oracle](const std::string& question, std::span<const std::string> replies) {
        return oracle.choose(question, replies);
      };
    };
    if (same_.there()) lent.ask_same = asking(same_);
    if (next_.there()) lent.ask_next = asking(next_);
    // A choice among letters is not written, so there is nothing to write again.
    if (same_.there() && item.mode == Mode::Generate) {
      lent.sample = [this, &item](double temperature, uint32_t seed) {
        return same_.sample(item, temperature, seed);
      };
    }
    return lent;
  }

  const signals::Panel& panel_;
  const EnrichAround& around_;
  Questions questions_;
  Oracle same_;
  Oracle next_;
  std::unique_ptr<IntentSource> intents_;
};

}  // namespace

Result<EnrichReport> enrich_records(const EnrichOptions& options, const signals::Panel& panel,
                                    const EnrichAround& around) {
  auto input = read_journal(options.records);
  if (!input) return input.error();
  auto journal = Journal::open(options.output, Journal::Begin::Resume);
  if (!journal) return journal.error();
  Enricher enricher(options, panel, around);
  if (auto opened = enricher.open(options); !opened) return opened.error();

  EnrichReport report;
  std::vector<BenchRecord>& records = input->records;
  const size_t total = options.limit == 0 ? records.size()
                                          : std::min(records.size(), options.limit);
  for (size_t i = 0; i < total; ++i) {
    if (around.stop.raised()) break;
    const BenchRecord& record = records[i * records.size() / total];
    if (!(*journal)->has(record.id)) {
      auto enriched = enricher.enrich(record, report);
      if (!enriched) return enriched.error();
      if (around.stop.raised()) break;  // measured in part
      enriched->kept = true;
      if (auto written = (*journal)->append({*enriched}); !written) return written.error();
      ++report.added;
    }
    around.progress(i + 1, total);
  }
  report.interrupted = around.stop.raised();
  report.records = (*journal)->records().size();
  return report;
}

}  // namespace tinyarms::eval
