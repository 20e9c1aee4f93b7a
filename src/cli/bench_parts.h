// What `bench` and `bench score` share.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "cli/context.h"

namespace tinyarms::cli {

void add_bench_score(CLI::App& bench, Context& context);

// The folder that was named, else "bench" in the user's data folder.
std::filesystem::path bench_data_folder(const std::string& named, const Context& context);

// Like Context::fail, but an unknown name or missing file is wrong usage, not a model problem.
void fail_bench(Context& context, const Error& error, bool json);

}  // namespace tinyarms::cli
