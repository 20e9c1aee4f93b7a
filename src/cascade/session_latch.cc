#include "cascade/session_latch.h"

namespace tinyarms::cascade {

void SessionLatch::observe(const Reply& reply) {
  const Step* step = reply.step();
  if (step == nullptr || reply.interrupted || step->level < Level::L2) return;
  if (!floor_ || step->level > *floor_) {
    floor_ = step->level;
    calm_ = 0;
    return;
  }
  calm_ = reply.sure ? calm_ + 1 : 0;
  if (calm_ < calm_turns_ || *floor_ == Level::L2) return;
  floor_ = static_cast<Level>(static_cast<int>(*floor_) - 1);
  calm_ = 0;
}

}  // namespace tinyarms::cascade
