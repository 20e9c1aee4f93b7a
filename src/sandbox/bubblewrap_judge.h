// The judge that runs programs in bubblewrap sandboxes. Python programs share a few long-lived
// sandboxes, one at a time in each: process 1 of it is a warm interpreter that forks for every
// program and kills and wipes everything after it. Programs in other languages have a sandbox of
// their own, compiler and all.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sandbox/judge.h"
#include "sandbox/limits.h"

namespace tinyarms::sandbox {

struct JudgeOptions {
  Limits python = {};
  Limits toolchains = Limits::for_toolchains();
  int sandboxes = 2;  // as many programs run at once; further calls wait
};

// Starts nothing yet: without a sandbox, run() and available() say so.
std::unique_ptr<Judge> make_judge(const JudgeOptions& options = {});

// Starts a sandbox and runs something in it. One line that describes what is enforced here and
// which languages can run, for `tinyarms doctor` and reports; an Error (Unsupported) says what is
// missing and how to install it.
Result<std::string> check();

}  // namespace tinyarms::sandbox
