// The command that speaks MCP.
#pragma once

namespace CLI {
class App;
}

namespace tinyarms::cli {

struct Context;

void add_mcp(CLI::App& app, Context& context);

}  // namespace tinyarms::cli
