// Is this draft hopeless? A running test on the margins of an answer's tokens, asked after every
// token but the last. Which test, and from where on, is fitted to records
// (calibration/early_abort.h).
//
// A token's doubt is 63 minus the step of its margin (calibration/margin_trace.h): 0 sure, 63 torn.
//   Window  the sum of the doubts of the last `parameter` tokens, once there are as many
//   Cusum   S ← max(0, S + doubt − `parameter`), after Page (1954): grows only while tokens are
//           more doubtful than that
// A draft is hopeless from the first token on at which the sum reaches `boundary`. All are whole
// numbers, so that decoding and a replay of its record agree to the bit.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tinyarms::calibration {

inline constexpr int kWindowMax = 64;    // tokens
inline constexpr int kDoubtMax = 63;     // of a token
inline constexpr int kBoundaryMax = 1 << 20;

struct MarginTest {
  enum class Kind { Window, Cusum };
  Kind kind = Kind::Window;
  int parameter = 16;  // Window: tokens, 1 … kWindowMax; Cusum: doubt, 0 … kDoubtMax − 1
  int boundary = 1;    // 1 … kBoundaryMax
  friend bool operator==(const MarginTest&, const MarginTest&) = default;
};

std::string margin_test_name(const MarginTest& test);  // "window 16", "cusum 32"
// What it waits for, in terms of margins: "a mean margin of 0.21 or less over 16 tokens".
std::string margin_test_text(const MarginTest& test);

// One answer's; not thread-safe.
class RunningMargin {
 public:
  explicit RunningMargin(MarginTest test) : test_(test) {}

  // The next token's margin, in [0, 1]: whether the draft is hopeless now.
  bool add(double margin);
  // The same of a margin's step.
  bool add_step(int step);

  // What is held against the boundary; nothing while a window is not full.
  std::optional<int> sum() const;

 private:
  MarginTest test_;
  std::array<uint8_t, kWindowMax> window_{};
  size_t tokens_ = 0;
  int sum_ = 0;
};

// Over the steps of a whole answer's margins, as it was drawn.
// After how many tokens the test would have ended it; nothing where it would have let it end.
std::optional<size_t> stops_after(const MarginTest& test, std::span<const uint8_t> steps);
// The largest sum that the test would have seen: it stops exactly the answers whose peak reaches
// its boundary. −1 where there was none.
int peak_of(const MarginTest& test, std::span<const uint8_t> steps);

}  // namespace tinyarms::calibration
