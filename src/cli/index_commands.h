// The commands about the index of the user's own files.
#pragma once

namespace CLI {
class App;
}

namespace tinyarms::cli {

struct Context;

void add_index(CLI::App& app, Context& context);
void add_search(CLI::App& app, Context& context);

}  // namespace tinyarms::cli
