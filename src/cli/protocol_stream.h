// Standard input and output of a command that speaks a protocol there with another program.
#pragma once

#include <signal.h>

#include <string_view>

#include "base/stop_flag.h"

namespace tinyarms::cli {

// SIGINT and SIGTERM reach this thread alone, and only while it waits for input: a signal that
// comes before it does is not lost, and one that comes while it waits ends the waiting. Made before
// the first thread.
class SignalsWhileWaiting {
 public:
  SignalsWhileWaiting();
  ~SignalsWhileWaiting();
  SignalsWhileWaiting(const SignalsWhileWaiting&) = delete;
  SignalsWhileWaiting& operator=(const SignalsWhileWaiting&) = delete;

  // Until the descriptor can be read (true) or a signal came (false).
  bool wait(int descriptor) const;
  // From now on they come at any time.
  void let_through() const;
  // Whole. False where nobody reads on, or where nobody reads and a signal has come. Any thread.
  bool write_all(int descriptor, std::string_view bytes, const StopFlag& stop) const;

 private:
  sigset_t before_{};
};

// Nothing but the protocol may be on standard output, whatever a library prints: from here on
// descriptor 1 is standard error, and the protocol has the descriptor that is given back (negative
// where there is none to be had).
int take_standard_output();

}  // namespace tinyarms::cli
