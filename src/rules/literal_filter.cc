#include "rules/literal_filter.h"

#include <algorithm>

namespace tinyarms::rules {
namespace {

// Of ASCII only: beyond it are blanks and a byte order mark as well.
bool is_identifier_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether text[start, end) is a word of its own.
bool is_word(std::string_view text, size_t start, size_t end) {
  return (start == 0 || !is_identifier_byte(text[start - 1])) &&
         (end == text.size() || !is_identifier_byte(text[end]));
}

}  // namespace

size_t LiteralFilter::add(const LiteralNeed& need) {
  formulas_.push_back(intern(need));
  return formulas_.size() - 1;
}

LiteralFilter::Formula LiteralFilter::intern(const LiteralNeed& need) {
  Formula formula;
  formula.kind = need.kind;
  if (need.kind == LiteralNeed::Kind::Literal) {
    const auto id = static_cast<uint32_t>(literals_.size());
    const auto [entry, added] = ids_.emplace(std::pair(need.literal, need.word), id);
    if (added) {
      literals_.push_back(need.literal);
      words_.push_back(need.word ? 1 : 0);
    }
    formula.literal = entry->second;
  }
  for (const LiteralNeed& part : need.parts) formula.parts.push_back(intern(part));
  return formula;
}

bool LiteralFilter::eval(const Formula& formula, const Found& found) const {
  const auto holds_here = [&](const Formula& part) { return eval(part, found); };
  switch (formula.kind) {
    case LiteralNeed::Kind::Always:
      return true;
    case LiteralNeed::Kind::Literal:
      return found[formula.literal] != 0;
    case LiteralNeed::Kind::All:
      return std::all_of(formula.parts.begin(), formula.parts.end(), holds_here);
    case LiteralNeed::Kind::Any:
      return std::any_of(formula.parts.begin(), formula.parts.end(), holds_here);
  }
  return true;
}

// Bytes that no literal has share class 0.
void LiteralFilter::classify_bytes() {
  class_of_.fill(0);
  classes_ = 1;
  for (const std::string& literal : literals_) {
    for (const char c : literal) {
      uint8_t& of = class_of_[static_cast<unsigned char>(c)];
      if (of == 0 && classes_ < 256) of = static_cast<uint8_t>(classes_++);
    }
  }
}

void LiteralFilter::build_trie() {
  next_.assign(classes_, 0);
  state_outputs_.assign(1, {});
  for (uint32_t id = 0; id < literals_.size(); ++id) {
    uint32_t state = 0;
    for (const char c : literals_[id]) {
      const size_t edge = state * classes_ + class_of_[static_cast<unsigned char>(c)];
      if (next_[edge] == 0) {
        next_[edge] = static_cast<uint32_t>(state_outputs_.size());
        state_outputs_.emplace_back();
        next_.resize(next_.size() + classes_, 0);
      }
      state = next_[edge];
    }
    state_outputs_[state].push_back(id);
  }
}

// Breadth first, so that the state a failure leads to is finished before it is copied from.
void LiteralFilter::link_failures() {
  std::vector<uint32_t> failure(state_outputs_.size(), 0);
  std::vector<uint32_t> queue;
  for (uint32_t c = 0; c < classes_; ++c) {
    if (next_[c] != 0) queue.push_back(next_[c]);
  }
  for (size_t at = 0; at < queue.size(); ++at) {
    const uint32_t state = queue[at];
    const auto& inherited = state_outputs_[failure[state]];
    state_outputs_[state].insert(state_outputs_[state].end(), inherited.begin(), inherited.end());
    for (uint32_t c = 0; c < classes_; ++c) {
      uint32_t& edge = next_[state * classes_ + c];
      const uint32_t fallback = next_[failure[state] * classes_ + c];
      if (edge == 0) {
        edge = fallback;
      } else {
        failure[edge] = fallback;
        queue.push_back(edge);
      }
    }
  }
}

void LiteralFilter::compile() {
  classify_bytes();
  build_trie();
  link_failures();
  output_starts_.assign(1, 0);
  for (const auto& outputs : state_outputs_) {
    outputs_.insert(outputs_.end(), outputs.begin(), outputs.end());
    output_starts_.push_back(static_cast<uint32_t>(outputs_.size()));
  }
  for (uint32_t& target : next_) {
    const bool speaks = !state_outputs_[target].empty();
    // The row's offset rather than its number saves a multiplication a byte.
    target = target * classes_ | (speaks ? kHasOutput : 0);
  }
  state_outputs_.clear();
  state_outputs_.shrink_to_fit();
}

void LiteralFilter::search(std::string_view text, Found& found) const {
  found.assign(literals_.size(), 0);
  size_t missing = literals_.size();
  if (missing == 0) return;
  uint32_t state = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    state = next_[(state & ~kHasOutput) + class_of_[static_cast<unsigned char>(text[at])]];
    if ((state & kHasOutput) == 0) continue;
    const uint32_t row = (state & ~kHasOutput) / classes_;
    for (uint32_t i = output_starts_[row]; i < output_starts_[row + 1]; ++i) {
      const uint32_t literal = outputs_[i];
      if (found[literal] != 0) continue;
      const size_t start = at + 1 - literals_[literal].size();
      if (words_[literal] != 0 && !is_word(text, start, at + 1)) continue;
      --missing;
      found[literal] = 1;
    }
    if (missing == 0) return;
  }
}

}  // namespace tinyarms::rules
