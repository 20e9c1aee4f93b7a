// Flags and errors that the commands over record files share.
#pragma once

#include "calibration/record_reader.h"
#include "cli/context.h"

namespace tinyarms::cli {

// --cost and --mixed-models; `read` must live as long as the parser.
void add_record_options(CLI::App& app, calibration::ReadOptions& read);

// Like Context::fail, but a missing or unsound record file is wrong usage, not a model problem.
void fail_records(Context& context, const Error& error, bool json);

}  // namespace tinyarms::cli
