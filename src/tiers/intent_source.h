// The head that tells what kind of question it is, for the encoder in use: the one that the user
// trained, else the one that ships, else one trained here on the bundled examples and kept.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "intent/head.h"

namespace tinyarms::tiers {

struct IntentSource {
  std::string encoder;                // sha256 of the encoder's file
  std::filesystem::path user_head;    // of `tinyarms intent train`; may not exist; empty: none
  std::filesystem::path kept_folder;  // where one trained here is kept; empty: nowhere
};

using Vectors = std::vector<std::vector<float>>;
using EmbedAll = std::function<Result<Vectors>(std::span<const std::string>)>;

struct ProvidedHead {
  intent::Head head;
  std::string notice;  // why the user's head was passed over; else empty
};

// `embed` gives one unit vector a text; it is called only where a head must be trained.
Result<ProvidedHead> provide_head(const IntentSource& source, const EmbedAll& embed);

}  // namespace tinyarms::tiers
