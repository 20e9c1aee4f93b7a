// The parts of a model that was cut by llama.cpp's gguf-split ("…-00001-of-00003.gguf") joined into
// one file. The engine's own store keeps one file a model.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::engine {

// All parts, in order; `destination` must not exist. Keys are those of the first part without
// "split.…". Errors: those of GgufHeader::parse for each part; Corrupt (parts that do not belong
// together, a tensor in two of them), Io, Interrupted; part of the destination may be left, the
// caller's to remove. `progress` (may be empty) is told of the bytes written and in all.
Result<void> merge_gguf(const std::vector<std::filesystem::path>& parts,
                        const std::filesystem::path& destination, const StopFlag& stop,
                        const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace tinyarms::engine
