// Where the prefixes of a model's prompts go when its context has no room for them.
#pragma once

namespace tinyarms::engine {

class SnapshotKeeper;
class SnapshotMemory;

// Each outlives the schedulers and may be null.
struct SnapshotPlaces {
  SnapshotMemory* memory = nullptr;
  SnapshotKeeper* disk = nullptr;  // never without `memory`, which provides room for the copies
};

}  // namespace tinyarms::engine
