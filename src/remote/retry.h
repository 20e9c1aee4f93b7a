// How long to wait before the next try: exponential backoff with full jitter (Brooker,
// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Callers that failed together come
// back spread evenly over the whole time, and not all at its end.
#pragma once

#include "base/stop_flag.h"

namespace tinyarms::remote {

struct Backoff {
  double first_seconds = 0.5;  // longest wait before the second try; doubled for each further one
  double max_seconds = 8;
};

// Before try number `tries` + 2, of `tries` + 1 that failed; `chance` in [0, 1).
double full_jitter(const Backoff& backoff, int tries, double chance);

// In [0, 1), by the system's random source.
double fair_chance();

// Sleeps, and looks at `stop` 50 times a second; false where it was raised.
bool pause(double seconds, const StopFlag& stop);

}  // namespace tinyarms::remote
