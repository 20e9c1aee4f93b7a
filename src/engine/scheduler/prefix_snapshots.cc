#include "engine/scheduler/prefix_snapshots.h"

#include <algorithm>

namespace tinyarms::engine {
namespace {

// A file, its head and a pass that begins later cost more than a shorter prefix ever saves.
constexpr size_t kFileTokensMin = 256;
// A file that is there holds all but so few of the tokens: it is not written again for them.
constexpr size_t kNewFileTokensMin = 64;
// The same of copies in memory, which cost a hundredth of what they save.
constexpr size_t kCopyTokensMin = 32;
constexpr size_t kNewCopyTokensMin = 8;
constexpr size_t kGainMin = 32;  // tokens that the context does not hold
constexpr double kCopiedPerSecondGuess = 1e9;
constexpr uint64_t kMeasuredCopyMin = 1 << 20;

}  // namespace

PrefixSnapshots::PrefixSnapshots(const SnapshotPlaces& places, Bindings bindings,
                                 llama_context* context, KvStore& kv, std::string model)
    : places_(places),
      bindings_(std::move(bindings)),
      context_(context),
      kv_(kv),
      model_(std::move(model)),
      copied_per_second_(kCopiedPerSecondGuess) {
  kv_.on_evicting([this](const std::string& scope, int sequence,
                         std::span<const llama_token> tokens) {
    // Where another sequence holds nearly all of it, nothing is lost.
    if (kv_.own_cells(sequence) >= kNewCopyTokensMin) save(scope, sequence, tokens);
  });
}

// As measured here, else as it was where the snapshot was made.
double PrefixSnapshots::seconds_to_compute(size_t tokens, size_t then_tokens,
                                           double then_seconds) const {
  const auto count = static_cast<double>(tokens);
  if (prompt_rate_ > 0) return count / prompt_rate_;
  return count * then_seconds / static_cast<double>(then_tokens);
}

bool PrefixSnapshots::bring(RunningRequest& request) {
  const auto tokens = request.tokens().first(request.tokens().size() - 1);
  if (!bindings_.memory.empty()) recall(request.scope(), tokens);
  return !bindings_.disk.empty() && awaits_file(request, tokens);
}

void PrefixSnapshots::recall(const std::string& scope, std::span<const llama_token> tokens) {
  const auto match = places_.memory->find(bindings_.memory, scope, tokens);
  if (!match) return;
  const size_t held = kv_.held(scope, tokens);
  if (match->length < held + kGainMin) return;
  const double computing = seconds_to_compute(match->length - held, match->head.tokens.size(),
                                              match->head.seconds);
  if (computing <= static_cast<double>(match->state->size()) / copied_per_second_) return;
  send_away_idle();
  // What follows is another conversation's, which its copy goes on holding.
  if (put_back(scope, match->head, *match->state, match->length)) {
    places_.memory->restored(match->head, match->length);
  }
}

void PrefixSnapshots::send_away_idle() {
  if (bindings_.memory.empty() || !places_.memory->keeps()) return;
  for (const auto& one : kv_.kept()) {
    if (kv_.own_cells(one.sequence) < kNewCopyTokensMin) continue;
    if (save(one.scope, one.sequence, one.tokens)) kv_.drop(one.sequence);
  }
}

bool PrefixSnapshots::is_worth_reading(const SnapshotFolder::Match& match, size_t gain) const {
  return gain >= kGainMin &&
         seconds_to_compute(gain, match.tokens, match.seconds) >
             static_cast<double>(match.bytes) / places_.disk->bytes_per_second();
}

bool PrefixSnapshots::awaits_file(RunningRequest& request, std::span<const llama_token> tokens) {
  if (!request.awaited_snapshot.empty()) return readings_.contains(request.awaited_snapshot);
  if (request.looked_for_snapshot) return false;
  request.looked_for_snapshot = true;
  SnapshotFolder& folder = places_.disk->folder();
  const auto match = folder.find(bindings_.disk, folder.scope_tag(request.scope()), tokens);
  if (!match) return false;
  const size_t held = kv_.held(request.scope(), tokens);
  if (match->length <= held || !is_worth_reading(*match, match->length - held)) return false;
  request.awaited_snapshot = match->name;
  if (!readings_.contains(match->name)) {
    readings_[match->name] = {request.scope(), places_.disk->read(match->name)};
  }
  return true;
}

void PrefixSnapshots::collect() {
  for (auto it = readings_.begin(); it != readings_.end();) {
    if (!it->second.read->done()) {
      ++it;
      continue;
    }
    restore(it->second);
    it = readings_.erase(it);
  }
}

void PrefixSnapshots::restore(const Reading& reading) {
  const auto& loaded = reading.read->result();
  if (!loaded) return;
  const SnapshotHead& head = loaded->head;
  if (head.binding != bindings_.disk) return;
  if (head.scope != places_.disk->folder().scope_tag(reading.scope)) return;
  if (!put_back(reading.scope, head, loaded->state(), head.tokens.size())) return;
  places_.disk->restored(head.tokens.size());
  if (prompt_rate_ == 0 && head.seconds > 0) {
    prompt_rate_ = static_cast<double>(head.tokens.size()) / head.seconds;
  }
}

// The first `length` tokens of it, as a kept sequence.
bool PrefixSnapshots::put_back(const std::string& scope, const SnapshotHead& head,
                               std::string_view state, size_t length) {
  const std::span<const llama_token> tokens(head.tokens);
  const auto start = std::chrono::steady_clock::now();
  const bool taken = kv_.adopt(scope, tokens.first(length), tokens.size(), [&](int sequence) {
    const size_t used = llama_state_seq_set_data(
        context_, reinterpret_cast<const uint8_t*>(state.data()), state.size(), sequence);
    llama_memory_t memory = llama_get_memory(context_);
    return used == state.size() && llama_memory_seq_pos_min(memory, sequence) == 0 &&
           llama_memory_seq_pos_max(memory, sequence) + 1 ==
               static_cast<llama_pos>(tokens.size()) &&
           llama_memory_seq_rm(memory, sequence, static_cast<llama_pos>(length), -1);
  });
  if (taken) measure_copying(state.size(), start);
  return taken;
}

bool PrefixSnapshots::is_in_memory(const std::string& scope,
                                   std::span<const llama_token> tokens) const {
  if (bindings_.memory.empty()) return false;
  const auto there = places_.memory->find(bindings_.memory, scope, tokens);
  return there && there->length + kNewCopyTokensMin > tokens.size();
}

// It is copied twice: now, and back.
bool PrefixSnapshots::belongs_into_memory(std::span<const llama_token> tokens,
                                          uint64_t bytes) const {
  if (bindings_.memory.empty() || !places_.memory->takes(bytes)) return false;
  if (tokens.size() < kCopyTokensMin || prompt_rate_ <= 0) return false;
  return static_cast<double>(tokens.size()) / prompt_rate_ >
         2 * static_cast<double>(bytes) / copied_per_second_;
}

bool PrefixSnapshots::belongs_on_disk(const std::string& tag,
                                      std::span<const llama_token> tokens,
                                      uint64_t bytes) const {
  if (bindings_.disk.empty()) return false;
  if (tokens.size() < kFileTokensMin || prompt_rate_ <= 0) return false;
  const double saved = static_cast<double>(tokens.size()) / prompt_rate_;
  if (saved <= static_cast<double>(bytes) / places_.disk->bytes_per_second()) return false;
  const auto there = places_.disk->folder().find(bindings_.disk, tag, tokens);
  return !there || there->length + kNewFileTokensMin <= tokens.size();
}

bool PrefixSnapshots::save(const std::string& scope, int sequence,
                           std::span<const llama_token> tokens) {
  const uint64_t bytes = llama_state_seq_get_size(context_, sequence);
  if (bytes == 0) return false;
  const bool is_there = is_in_memory(scope, tokens);
  const bool into_memory = !is_there && belongs_into_memory(tokens, bytes);
  const std::string tag =
      bindings_.disk.empty() ? std::string() : places_.disk->folder().scope_tag(scope);
  bool on_disk = belongs_on_disk(tag, tokens, bytes);
  if (on_disk && !places_.disk->takes(bytes)) {
    places_.disk->skipped();
    on_disk = false;
  }
  if (!into_memory && !on_disk) return is_there;
  const auto state = copy(sequence, bytes);
  if (!state) {
    if (on_disk) places_.disk->skipped();
    return is_there;
  }
  SnapshotHead head{.binding = bindings_.memory,
                    .scope = scope,
                    .model = model_,
                    .tokens = {tokens.begin(), tokens.end()},
                    .seconds = static_cast<double>(tokens.size()) / prompt_rate_,
                    .state_bytes = bytes};
  const bool kept = into_memory && places_.memory->keep(head, state);
  if (on_disk) {
    head.binding = bindings_.disk;
    head.scope = tag;
    places_.disk->write(std::move(head), state);
  }
  return is_there || kept;
}

// Null where there is no room for it.
SnapshotState PrefixSnapshots::copy(int sequence, uint64_t bytes) {
  const auto start = std::chrono::steady_clock::now();
  const auto state = places_.memory->provide(bytes);
  if (!state) return nullptr;
  const size_t got = llama_state_seq_get_data(
      context_, reinterpret_cast<uint8_t*>(state->data()), bytes, sequence);
  if (got != bytes) return nullptr;
  measure_copying(bytes, start);
  return state;
}

void PrefixSnapshots::measure_copying(uint64_t bytes, std::chrono::steady_clock::time_point start) {
  if (bytes < kMeasuredCopyMin) return;  // less is all latency
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  copied_per_second_ =
      0.5 * copied_per_second_ + 0.5 * static_cast<double>(bytes) / taken.count();
}

// The dearest first: what there is no room for is the least.
void PrefixSnapshots::save_all_kept() {
  auto kept = kv_.kept();
  std::sort(kept.begin(), kept.end(),
            [](const auto& a, const auto& b) { return a.tokens.size() > b.tokens.size(); });
  for (const auto& one : kept) save(one.scope, one.sequence, one.tokens);
}

}  // namespace tinyarms::engine
