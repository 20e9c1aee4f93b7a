// Several engines that serve the same model, and what is known of each: how many calls it has now,
// how soon it answered lately, whether it failed (circuit_breaker.h) or asked to be left alone
// (Retry-After). Chooses the one with the fewest calls in flight; of equals the one that answered
// sooner lately, then the first of the list. Opens no connection itself.
//
// What is kept of a failure is our own words: never the body of a reply, which belongs to whoever
// asked. Thread-safe: one mutex over all of it, held for no longer than a look at the list.
#pragma once

#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "remote/circuit_breaker.h"

namespace tinyarms::remote {

struct PoolTerms {
  CircuitBreaker::Terms breaker{};
  double busy_seconds = 1;        // how long one that is too busy is left alone, if it says nothing
  double latency_half_life = 60;  // seconds: a slow answer of long ago is no reason for ever
};

enum class CallEnd {
  Answered,
  Failed,  // unreachable, broken off, 5xx, a reply that is none, a key or address that is refused
  Busy,    // 429, or any refusal with Retry-After: alive, and not to be asked for a while
  Nothing  // stopped by the user, or the request itself was refused
};

struct PassedOver {
  std::string place;
  std::string why;  // "circuit open", "busier: 3 calls in flight", …
};

struct EndpointHealth {
  std::string place;
  CircuitBreaker::State circuit = CircuitBreaker::State::Closed;
  int in_flight = 0;
  std::optional<double> latency{};  // seconds to the first token, lately
};

class EndpointPool {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  // `urls`: at least one. `clock` outlives it. `on_open` (may be
  // empty) is called, without the lock, after a circuit opened.
  EndpointPool(std::vector<std::string> urls, const Clock& clock, const PoolTerms& terms = {},
               std::function<void()> on_open = {});
  EndpointPool(const EndpointPool&) = delete;
  EndpointPool& operator=(const EndpointPool&) = delete;

  // The right to one call. Ends with CallEnd::Nothing where nobody says otherwise.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), index_(other.index_) {}
    Lease& operator=(Lease&& other) noexcept {  // what stood here ends with `other`
      std::swap(pool_, other.pool_);
      std::swap(index_, other.index_);
      return *this;
    }
    ~Lease() { end(CallEnd::Nothing); }

    size_t index() const { return index_; }
    // Its first token came: a trial is not waited for to its end.
    void answering();
    // `seconds`: to the first token of one that answered; of a busy one how long it wants to be
    // left alone, 0 where it does not say. The first call counts.
    void end(CallEnd end, double seconds = 0);

   private:
    friend class EndpointPool;
    Lease(EndpointPool* pool, size_t index) : pool_(pool), index_(index) {}
    EndpointPool* pool_;
    size_t index_;
  };

  struct Choice {
    std::optional<Lease> lease{};
    std::vector<PassedOver> passed{};  // of those that could have been asked too: why they were not
    double wait = kNever;  // without a lease: seconds until a busy one may be asked again
  };

  // Never one of `asked_before`.
  Choice take(const std::vector<size_t>& asked_before = {});

  size_t size() const { return places_.size(); }
  const std::string& url(size_t index) const { return places_[index].url; }
  // What messages call it: "127.0.0.1:8080"; with its path where two share that.
  const std::string& place(size_t index) const { return places_[index].name; }
  std::vector<EndpointHealth> health() const;

  // For who probes: the open circuit whose probe is due first, and in how many seconds.
  std::optional<std::pair<size_t, double>> next_probe() const;
  void probed(size_t index, bool alive);

 private:
  struct Place {
    std::string url;   // never changes, as the name
    std::string name;
    CircuitBreaker breaker;
    int in_flight = 0;
    double latency = 0;     // 0: not known
    double latency_at = 0;
    double busy_until = 0;
  };

  // Both with the lock held.
  double latency_now(const Place& place, double now) const;
  std::optional<std::string> refusal(const Place& place, double now) const;
  std::string second_best(const Place& place, const Place& best, double now) const;

  void answering(size_t index);
  void end(size_t index, CallEnd end, double seconds);

  const Clock& clock_;
  PoolTerms terms_;
  std::function<void()> on_open_;
  mutable std::mutex mutex_;
  std::vector<Place> places_;
};

}  // namespace tinyarms::remote
