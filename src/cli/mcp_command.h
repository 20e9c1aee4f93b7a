// The commands that speak a protocol with another program: MCP and LSP.
#pragma once

namespace CLI {
class App;
}

namespace tinyarms::cli {

struct Context;

void add_mcp(CLI::App& app, Context& context);
void add_lsp(CLI::App& app, Context& context);

}  // namespace tinyarms::cli
