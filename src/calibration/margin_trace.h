// The margins of an answer's tokens, one character each, so that records can carry them: what a
// running test during decoding saw (calibration/running_margin.h) can be replayed from a file.
//
// A margin is p(top 1) − p(top 2) of one token, in [0, 1]. It is kept in 64 steps as a character of
// the base64url alphabet: "A" is 0, "_" is 1, the step 1/63. The error is at most 1/126.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::calibration {

// The step that stands for a margin; what lies outside [0, 1] is clamped, NaN is 0. Tests that were
// fitted to records see live tokens through this, so that replay and service agree to the bit.
int margin_step(double margin);

void append_margin(double margin, std::string& trace);

// The steps. Nothing where a character is not of the alphabet.
std::optional<std::vector<uint8_t>> read_margin_steps(std::string_view trace);

}  // namespace tinyarms::calibration
