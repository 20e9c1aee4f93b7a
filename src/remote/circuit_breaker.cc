#include "remote/circuit_breaker.h"

#include <algorithm>

namespace tinyarms::remote {

CircuitBreaker::State CircuitBreaker::state(double now) const {
  if (!opened_) return State::Closed;
  return alive_ || (!terms_.probed && now >= open_until_) ? State::HalfOpen : State::Open;
}

bool CircuitBreaker::allows(double now) const {
  switch (state(now)) {
    case State::Closed: return true;
    case State::Open: return false;
    case State::HalfOpen: return !trial_;
  }
  return false;
}

void CircuitBreaker::begin(double now) {
  if (state(now) == State::HalfOpen) trial_ = true;
}

void CircuitBreaker::answering() {
  if (!opened_) return;
  opened_ = alive_ = trial_ = false;
  failures_ = terms_.failures_to_open - 1;
}

void CircuitBreaker::succeeded() {
  failures_ = 0;
  opened_ = opened_before_ = alive_ = trial_ = false;
  open_for_ = terms_.open_seconds;
}

void CircuitBreaker::failed(double now) {
  if (opened_) {
    // A call that went out before it opened tells nothing new; a trial does.
    if (state(now) == State::HalfOpen) open(now);
    return;
  }
  ++failures_;
  if (terms_.failures_to_open > 0 && failures_ >= terms_.failures_to_open) open(now);
}

void CircuitBreaker::abandoned() { trial_ = false; }

void CircuitBreaker::probed(bool alive, double now) {
  if (!opened_ || alive_) return;
  if (alive) {
    alive_ = true;
  } else {
    open(now);
  }
}

void CircuitBreaker::open(double now) {
  if (opened_before_) open_for_ = std::min(open_for_ * 2, terms_.open_seconds_max);
  opened_ = opened_before_ = true;
  alive_ = trial_ = false;
  open_until_ = now + open_for_;
}

std::string_view state_name(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::Closed: return "closed";
    case CircuitBreaker::State::Open: return "open";
    case CircuitBreaker::State::HalfOpen: return "half-open";
  }
  return "closed";
}

}  // namespace tinyarms::remote
