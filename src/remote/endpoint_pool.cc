#include "remote/endpoint_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "remote/endpoint.h"

namespace tinyarms::remote {
namespace {

constexpr double kBusySecondsMax = 3600;  // a date far away is a fault of theirs, not a wish

std::vector<std::string> names_of(const std::vector<std::string>& urls) {
  std::vector<std::string> names;
  for (const std::string& url : urls) names.push_back(place_of(url));
  std::vector<std::string> unlike = names;
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::count(names.begin(), names.end(), names[i]) == 1) continue;
    unlike[i] += url_path(urls[i]);
  }
  return unlike;
}

}  // namespace

EndpointPool::EndpointPool(std::vector<std::string> urls, const Clock& clock,
                           const PoolTerms& terms, std::function<void()> on_open)
    : clock_(clock), terms_(terms), on_open_(std::move(on_open)) {
  for (std::string& url : urls) url = without_last_slash(std::move(url));
  std::vector<std::string> names = names_of(urls);
  for (size_t i = 0; i < urls.size(); ++i) {
    places_.push_back({std::move(urls[i]), std::move(names[i]), CircuitBreaker(terms_.breaker)});
  }
}

void EndpointPool::Lease::end(CallEnd end, double seconds) {
  if (EndpointPool* pool = std::exchange(pool_, nullptr)) pool->end(index_, end, seconds);
}

void EndpointPool::Lease::answering() {
  if (pool_ != nullptr) pool_->answering(index_);
}

void EndpointPool::answering(size_t index) {
  const std::lock_guard lock(mutex_);
  places_[index].breaker.answering();
}

double EndpointPool::latency_now(const Place& place, double now) const {
  return place.latency * std::exp2(-(now - place.latency_at) / terms_.latency_half_life);
}

std::optional<std::string> EndpointPool::refusal(const Place& place, double now) const {
  if (!place.breaker.allows(now)) {
    return place.breaker.state(now) == CircuitBreaker::State::Open
               ? "circuit open: it failed lately"
               : "circuit half-open: another question is its trial";
  }
  if (place.busy_until > now) {
    return fmt::format("it asked to be left alone for another {:.1f} s", place.busy_until - now);
  }
  return std::nullopt;
}

std::string EndpointPool::second_best(const Place& place, const Place& best, double now) const {
  if (place.in_flight > best.in_flight) {
    return fmt::format("busier: {} in flight", place.in_flight);
  }
  const double latency = latency_now(place, now);
  if (latency > latency_now(best, now)) {
    return fmt::format("slower lately: {:.3f} s to the first token", latency);
  }
  return "as good: later in the list";
}

EndpointPool::Choice EndpointPool::take(const std::vector<size_t>& asked_before) {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic_seconds();
  Choice choice;
  std::vector<size_t> fit;
  const auto before = [&](size_t left, size_t right) {
    const Place& a = places_[left];
    const Place& b = places_[right];
    if (a.in_flight != b.in_flight) return a.in_flight < b.in_flight;
    return latency_now(a, now) < latency_now(b, now);
  };
  for (size_t i = 0; i < places_.size(); ++i) {
    if (std::find(asked_before.begin(), asked_before.end(), i) != asked_before.end()) continue;
    if (auto why = refusal(places_[i], now)) {
      choice.passed.push_back({places_[i].name, std::move(*why)});
      if (places_[i].breaker.allows(now)) {
        choice.wait = std::min(choice.wait, places_[i].busy_until - now);
      }
    } else {
      fit.push_back(i);
    }
  }
  if (fit.empty()) return choice;
  const size_t best = *std::min_element(fit.begin(), fit.end(), before);
  for (const size_t i : fit) {
    if (i == best) continue;
    choice.passed.push_back({places_[i].name, second_best(places_[i], places_[best], now)});
  }
  ++places_[best].in_flight;
  places_[best].breaker.begin(now);
  choice.lease = Lease(this, best);
  return choice;
}

void EndpointPool::end(size_t index, CallEnd end, double seconds) {
  bool opened = false;
  {
    const std::lock_guard lock(mutex_);
    const double now = clock_.monotonic_seconds();
    Place& place = places_[index];
    --place.in_flight;
    switch (end) {
      case CallEnd::Answered: {
        place.breaker.succeeded();
        const double old = latency_now(place, now);
        place.latency = place.latency > 0 ? (old + seconds) / 2 : seconds;
        place.latency_at = now;
        break;
      }
      case CallEnd::Failed: {
        const bool was_open = place.breaker.state(now) == CircuitBreaker::State::Open;
        place.breaker.failed(now);
        opened = !was_open && place.breaker.state(now) == CircuitBreaker::State::Open;
        break;
      }
      case CallEnd::Busy:
        place.breaker.succeeded();  // it lives, and says what it wants
        place.busy_until =
            now + std::clamp(seconds > 0 ? seconds : terms_.busy_seconds, 0.0, kBusySecondsMax);
        break;
      case CallEnd::Nothing: place.breaker.abandoned(); break;
    }
  }
  if (opened && on_open_) on_open_();
}

std::vector<EndpointHealth> EndpointPool::health() const {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic_seconds();
  std::vector<EndpointHealth> all;
  for (const Place& place : places_) {
    EndpointHealth& one = all.emplace_back();
    one = {.place = place.name,
           .circuit = place.breaker.state(now),
           .in_flight = place.in_flight};
    if (place.latency > 0) one.latency = place.latency;
  }
  return all;
}

std::optional<std::pair<size_t, double>> EndpointPool::next_probe() const {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic_seconds();
  std::optional<std::pair<size_t, double>> next;
  for (size_t i = 0; i < places_.size(); ++i) {
    const CircuitBreaker& breaker = places_[i].breaker;
    if (breaker.state(now) != CircuitBreaker::State::Open) continue;
    const double in = std::max(0.0, breaker.due() - now);
    if (!next || in < next->second) next = {i, in};
  }
  return next;
}

void EndpointPool::probed(size_t index, bool alive) {
  const std::lock_guard lock(mutex_);
  places_[index].breaker.probed(alive, clock_.monotonic_seconds());
}

}  // namespace tinyarms::remote
