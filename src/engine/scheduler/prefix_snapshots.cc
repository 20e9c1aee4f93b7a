#include "engine/scheduler/prefix_snapshots.h"

#include <algorithm>

namespace tinyarms::engine {
namespace {

// A file, its head and a pass that begins later cost more than a shorter prefix ever saves.
constexpr size_t kSnapshotTokensMin = 256;
// A snapshot that is there holds all but so few of the tokens: it is not written again for them.
constexpr size_t kNewTokensMin = 64;
constexpr size_t kGainMin = 32;  // tokens that memory does not hold

}  // namespace

PrefixSnapshots::PrefixSnapshots(SnapshotKeeper& keeper, llama_context* context, KvStore& kv,
                                 std::string binding, std::string model)
    : keeper_(keeper),
      context_(context),
      kv_(kv),
      binding_(std::move(binding)),
      model_(std::move(model)) {
  kv_.on_evicting([this](const std::string& scope, int sequence,
                         std::span<const llama_token> tokens) { save(scope, sequence, tokens); });
}

bool PrefixSnapshots::is_worth_reading(const SnapshotFolder::Match& match, size_t gain) const {
  if (gain < kGainMin) return false;
  // What this process measured, else what the one that wrote it did.
  const double rate = prompt_rate_ > 0
                          ? prompt_rate_
                          : static_cast<double>(match.tokens) / std::max(match.seconds, 1e-9);
  return static_cast<double>(gain) / rate >
         static_cast<double>(match.bytes) / keeper_.bytes_per_second();
}

bool PrefixSnapshots::comes(RunningRequest& request) {
  if (!request.awaited_snapshot.empty()) return readings_.contains(request.awaited_snapshot);
  if (request.looked_for_snapshot) return false;
  request.looked_for_snapshot = true;
  SnapshotFolder& folder = keeper_.folder();
  const auto tokens = request.tokens().first(request.tokens().size() - 1);
  const auto match = folder.find(binding_, folder.scope_tag(request.scope()), tokens);
  if (!match) return false;
  const size_t held = kv_.held(request.scope(), tokens);
  if (match->length <= held || !is_worth_reading(*match, match->length - held)) return false;
  request.awaited_snapshot = match->name;
  if (!readings_.contains(match->name)) {
    readings_[match->name] = {request.scope(), keeper_.read(match->name)};
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
  if (head.binding != binding_ || head.scope != keeper_.folder().scope_tag(reading.scope)) return;
  const std::string_view state = loaded->state();
  const bool taken = kv_.adopt(reading.scope, head.tokens, [&](int sequence) {
    const size_t used = llama_state_seq_set_data(
        context_, reinterpret_cast<const uint8_t*>(state.data()), state.size(), sequence);
    llama_memory_t memory = llama_get_memory(context_);
    return used == state.size() && llama_memory_seq_pos_min(memory, sequence) == 0 &&
           llama_memory_seq_pos_max(memory, sequence) + 1 ==
               static_cast<llama_pos>(head.tokens.size());
  });
  if (!taken) return;
  keeper_.restored(head.tokens.size());
  if (prompt_rate_ == 0 && head.seconds > 0) {
    prompt_rate_ = static_cast<double>(head.tokens.size()) / head.seconds;
  }
}

bool PrefixSnapshots::is_worth_writing(const std::string& tag,
                                       std::span<const llama_token> tokens,
                                       uint64_t bytes) const {
  if (tokens.size() < kSnapshotTokensMin || prompt_rate_ <= 0) return false;
  const double saved = static_cast<double>(tokens.size()) / prompt_rate_;
  if (saved <= static_cast<double>(bytes) / keeper_.bytes_per_second()) return false;
  const auto there = keeper_.folder().find(binding_, tag, tokens);
  return !there || there->length + kNewTokensMin <= tokens.size();
}

void PrefixSnapshots::save(const std::string& scope, int sequence,
                           std::span<const llama_token> tokens) {
  if (tokens.size() < kSnapshotTokensMin) return;
  SnapshotHead head{.binding = binding_,
                    .scope = keeper_.folder().scope_tag(scope),
                    .model = model_,
                    .tokens = {tokens.begin(), tokens.end()}};
  head.state_bytes = llama_state_seq_get_size(context_, sequence);
  const size_t offset = snapshot_state_offset(tokens.size());
  const uint64_t bytes = offset + head.state_bytes;
  if (head.state_bytes == 0 || !is_worth_writing(head.scope, tokens, bytes)) return;
  if (!keeper_.takes(bytes)) return keeper_.skipped();
  head.seconds = static_cast<double>(tokens.size()) / prompt_rate_;
  std::string file(bytes, '\0');
  const size_t got = llama_state_seq_get_data(
      context_, reinterpret_cast<uint8_t*>(file.data() + offset), head.state_bytes, sequence);
  if (got != head.state_bytes) return;
  keeper_.write(std::move(head), std::move(file));
}

// The dearest first: what the keeper has no room for is the least.
void PrefixSnapshots::save_all_kept() {
  auto kept = kv_.kept();
  std::sort(kept.begin(), kept.end(),
            [](const auto& a, const auto& b) { return a.tokens.size() > b.tokens.size(); });
  for (const auto& one : kept) save(one.scope, one.sequence, one.tokens);
}

}  // namespace tinyarms::engine
