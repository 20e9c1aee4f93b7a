#include "engine/scheduler/pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "engine/llama_backend.h"

namespace tinyarms::engine {
namespace {

constexpr int kNoRoom = 1;   // libllama's codes
constexpr int kAborted = 2;

void add(llama_batch& batch, llama_token token, size_t position, int sequence, bool output) {
  const auto at = static_cast<size_t>(batch.n_tokens++);
  batch.token[at] = token;
  batch.pos[at] = static_cast<llama_pos>(position);
  batch.n_seq_id[at] = 1;
  batch.seq_id[at][0] = sequence;
  batch.logits[at] = output ? 1 : 0;
}

}  // namespace

Pass::Pass(const LanguageModel& model, CoreBudget& cores, KvStore& kv, llama_context* context,
           Decode decode)
    : model_(model),
      cores_(cores),
      kv_(kv),
      decode_(std::move(decode)),
      context_(context),
      batch_(llama_batch_init(static_cast<int32_t>(llama_n_batch(context)), 0, 1)) {
  if (!decode_) decode_ = [](llama_context* c, const llama_batch& b) { return llama_decode(c, b); };
}

Pass::~Pass() { llama_batch_free(batch_); }

// It is everybody's: let go only where nobody in it wants it any more.
bool Pass::unwanted() const {
  return !watched_.empty() && std::all_of(watched_.begin(), watched_.end(),
                                          [](const auto* request) { return request->unwanted(); });
}

void Pass::run(std::span<PassMember> members,
               const std::function<void(RunningRequest&, std::span<const float>)>& on_logits,
               const std::function<void(RunningRequest&, Error)>& on_failure) {
  const int code = compute(members);
  if (code == 0) {
    const auto width =
        static_cast<size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model_.handle())));
    for (const PassMember& member : members) {
      RunningRequest& request = *member.request;
      kv_.computed(request.sequence, request.tokens().subspan(request.computed, member.tokens));
      request.computed += member.tokens;
    }
    for (const PassMember& member : members) {
      if (member.output < 0) continue;
      const float* row = llama_get_logits_ith(context_, member.output);
      if (row == nullptr) {
        on_failure(*member.request, failure(-1));
      } else {
        on_logits(*member.request, {row, width});
      }
    }
    return;
  }
  for (const PassMember& member : members) kv_.rewind(member.request->sequence);
  if (code == kAborted) return;
  if (members.size() == 1) {
    if (code == kNoRoom && kv_.counters().sequences_kept > 0) {
      kv_.drop_kept();
      return;  // the next pass has more room
    }
    return on_failure(*members.front().request, failure(code));
  }
  for (PassMember& member : members) run({&member, 1}, on_logits, on_failure);
}

int Pass::compute(std::span<PassMember> members) {
  batch_.n_tokens = 0;
  watched_.clear();
  for (PassMember& member : members) {
    const RunningRequest& request = *member.request;
    watched_.push_back(&request);
    member.output = -1;
    for (size_t i = 0; i < member.tokens; ++i) {
      const size_t at = request.computed + i;
      const bool last = at + 1 == request.tokens().size();
      if (last) member.output = batch_.n_tokens;
      add(batch_, request.tokens()[at], at, request.sequence, last);
    }
  }
  forget_last_words();
  const bool background = std::all_of(members.begin(), members.end(), [](const auto& member) {
    return member.request->priority() == Priority::Background;
  });
  const CoreBudget::Share share = cores_.take(background);
  if (share.threads() != threads_) {
    threads_ = share.threads();
    llama_set_n_threads(context_, threads_, threads_);
  }
  try {
    const int code = decode_(context_, batch_);
    watched_.clear();
    return code;
  } catch (const std::exception&) {
    watched_.clear();
    return -3;
  }
}

Error Pass::failure(int code) const {
  const std::string place = model_.facts().path.string();
  if (code == kNoRoom) {
    return Error{ErrorCode::OverBudget, "the context's memory is full", place,
                 "ask for less at once, or use a shorter context"};
  }
  return Error{ErrorCode::Internal, fmt::format("decoding failed ({}): {}", code, last_words()),
               place, "try again; if it stays, import the model again"};
}

}  // namespace tinyarms::engine
