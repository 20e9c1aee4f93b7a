// tinyarms lsp: Level 0's rules as a language server on standard input and output (docs/lsp.md).
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "base/descriptor.h"
#include "cli/build_info.h"
#include "cli/context.h"
#include "cli/mcp_command.h"
#include "cli/protocol_stream.h"
#include "cli/rules_command.h"
#include "jsonrpc/framing.h"
#include "lsp/server.h"

namespace tinyarms::cli {
namespace {

constexpr size_t kFrameBytesMax = 16 << 20;
constexpr size_t kLspReadBytes = 64 << 10;

jsonrpc::Failure refusal(jsonrpc::Frame::Kind kind) {
  if (kind == jsonrpc::Frame::Kind::TooLarge) {
    return {jsonrpc::kInvalidRequest, "the message is larger than 16 MiB", nullptr};
  }
  return {jsonrpc::kParseError, "what comes in is no message with a Content-Length", nullptr};
}

// Until the client says `exit`, its input ends, or a signal comes.
void serve_lsp(lsp::Server& server, const SignalsWhileWaiting& signals, const bool& gone,
               const StopFlag& stop) {
  jsonrpc::HeaderFraming framing(kFrameBytesMax);
  std::string block(kLspReadBytes, '\0');
  while (!server.ended() && !gone && !stop.raised()) {
    if (!signals.wait(STDIN_FILENO)) continue;
    const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    framing.feed(std::string_view(block).substr(0, static_cast<size_t>(got)));
    while (auto frame = framing.next()) {
      if (frame->kind == jsonrpc::Frame::Kind::Message) {
        server.take(frame->text);
        if (server.ended()) return;
        continue;
      }
      server.refuse(refusal(frame->kind));
      if (frame->kind == jsonrpc::Frame::Kind::Malformed) return;  // it cannot be followed
    }
  }
}

void run_lsp(const RuleChoice& choice, Context& context) {
  const SignalsWhileWaiting signals;
  const Descriptor output(take_standard_output());
  if (output.get() < 0) {
    return context.fail({ErrorCode::Io, "cannot be used", "standard output", ""}, false);
  }
  auto chosen = choose_rules(choice, context);
  if (!chosen) return;
  bool gone = false;
  lsp::Server server(chosen->rules, chosen->severities, std::string(kVersion),
                     [&](const std::string& text) {
                       if (gone) return;
                       gone = !signals.write_all(
                           output.get(), jsonrpc::HeaderFraming::wrap(text), context.stop);
                     });
  serve_lsp(server, signals, gone, context.stop);
  signals.let_through();  // one that ended the writing has still to be seen
  context.exit = context.stop.raised() ? Exit::Interrupted
                 : server.orderly()    ? Exit::Answered
                                       : Exit::Failed;
}

}  // namespace

void add_lsp(CLI::App& app, Context& context) {
  auto choice = std::make_shared<RuleChoice>();
  CLI::App* lsp = app.add_subcommand("lsp", "Code rules as a language server for editors");
  add_rule_choice(*lsp, *choice);
  lsp->footer(
      "Editors start it and speak LSP to it on standard input and output; docs/lsp.md tells how\n"
      "to add it. Diagnostics while one types, fixes, a rule's note on hover; no model is asked.\n"
      "Without flags, the rules of the nearest sgconfig.yml, else the bundled ones.\n"
      "Examples:\n"
      "  tinyarms lsp\n"
      "  tinyarms lsp --rule team-rules.yml\n"
      "\n"
      "Exit status: 0 shut down by its client · 1 left by it · 130 interrupted; else as `rules`.");
  lsp->callback([choice, &context] { run_lsp(*choice, context); });
}

}  // namespace tinyarms::cli
