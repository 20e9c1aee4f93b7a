// What the process says with its exit status: documented in README.md and the manual page, the
// one place where errors become numbers.
#pragma once

#include "base/error.h"

namespace tinyarms::cli {

enum class Exit : int {
  Answered = 0,
  Failed = 1,         // a bug or a dependency's failure: everything not named below
  Usage = 2,          // wrong flags, an empty or unreadable question
  NoAnswer = 3,       // no tier could answer
  LowConfidence = 4,  // --strict: no tier was sure; calibrate, certify: the target is out of reach;
                      // models migrate: no clear win
  Model = 5,          // a model is missing, damaged, unsupported or too large
  Config = 6,         // a configuration file, variable or value is wrong
  Io = 7,             // the disk or a permission refused
  Interrupted = 130,  // Ctrl-C; what there was has been printed
};

// For errors about anything but the configuration of a model.
Exit exit_code(ErrorCode code);

}  // namespace tinyarms::cli
