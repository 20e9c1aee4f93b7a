// A circuit breaker (Nygard, "Release It!", 2007): whoever fails again and again is left alone for
// a while, instead of costing every call its timeout.
//
//   closed     calls go through; `failures_to_open` failures in a row open it
//   open       no call goes through for `open_seconds`, doubled each time up to the maximum
//   half-open  one call at a time goes through as a trial: an answer closes, failure opens again
//
// With `probed` an open one becomes half-open only once a probe has found the other side alive:
// no user's call is spent on finding that out. Holds no clock: times are seconds of one clock that
// the caller reads. Not thread-safe.
#pragma once

#include <string_view>

namespace tinyarms::remote {

class CircuitBreaker {
 public:
  enum class State { Closed, Open, HalfOpen };

  struct Terms {
    int failures_to_open = 3;  // 0: it never opens
    double open_seconds = 2;
    double open_seconds_max = 30;
    bool probed = false;
  };

  explicit CircuitBreaker(const Terms& terms) : terms_(terms), open_for_(terms.open_seconds) {}

  State state(double now) const;
  bool allows(double now) const;  // closed, or half-open and no trial is under way

  // A call goes out; ends with exactly one of succeeded(), failed() and abandoned().
  void begin(double now);
  // It is being answered. Closes one that was not, though the next failure opens it again: answers
  // take minutes, and nobody else would be let through until the trial's is whole.
  void answering();
  void succeeded();
  void failed(double now);
  void abandoned();  // it says nothing: the caller stopped it, or the request was at fault

  // When a probe is due, or it becomes half-open by itself; only while it is open.
  double due() const { return open_until_; }
  // What a probe found, while it is open.
  void probed(bool alive, double now);

 private:
  void open(double now);

  Terms terms_;
  int failures_ = 0;  // in a row
  bool opened_ = false;
  bool opened_before_ = false;  // since the last success
  bool alive_ = false;  // a probe said so since it opened
  bool trial_ = false;  // under way
  double open_for_;
  double open_until_ = 0;
};

std::string_view state_name(CircuitBreaker::State state);  // "closed", "open", "half-open"

}  // namespace tinyarms::remote
