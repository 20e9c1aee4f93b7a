// The commands of `tinyarms cache` that lie in a file of their own.
#pragma once

namespace CLI {
class App;
}

namespace tinyarms::cli {

struct Context;

// list, rm, export, off, on, stats
void add_cache_entries(CLI::App& cache, Context& context);

// prefixes
void add_cache_prefixes(CLI::App& cache, Context& context);

}  // namespace tinyarms::cli
