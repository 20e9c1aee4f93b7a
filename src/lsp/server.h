// Level 0's rules as a language server (LSP 3.17): diagnostics while one types, fixes as code
// actions, a rule's note on hover. One thread; what comes in is a message, what goes out is lines
// of JSON through `send`. No model is asked and no file is read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "jsonrpc/message.h"
#include "lsp/document.h"
#include "rules/rule_set.h"
#include "rules/scan.h"

namespace tinyarms::lsp {

using jsonrpc::Json;
using jsonrpc::OrderedJson;

inline constexpr size_t kDocumentsMax = 1000;
inline constexpr size_t kDocumentBytesMax = 8 << 20;

class Server {
 public:
  // `rules` outlives it. `severities` as in rules::ScanOptions: rules that are off do not run.
  Server(const rules::RuleSet& rules, std::vector<rules::Severity> severities, std::string version,
         std::function<void(std::string)> send);

  void take(std::string_view text);
  // A frame that was none, or too large.
  void refuse(const jsonrpc::Failure& failure);

  bool ended() const { return ended_; }
  bool orderly() const { return shut_down_; }  // `exit` came after `shutdown`

 private:
  struct Open {
    Document document;
    Json version;
    std::vector<rules::Finding> findings;
  };

  void request(const jsonrpc::Message& message);
  void notification(const jsonrpc::Message& message);
  OrderedJson initialize() const;
  void did_open(const Json& params);
  void did_change(const Json& params);
  void did_close(const Json& params);
  void forget(const std::string& uri);
  OrderedJson code_actions(const Json& params) const;
  OrderedJson hover(const Json& params) const;

  const Open* find(const Json& params) const;
  void check(const std::string& uri, Open& open);
  OrderedJson diagnostic(const Document& document, const rules::Finding& finding) const;
  void publish(const std::string& uri, const Open* open);

  const rules::RuleSet& rules_;
  std::vector<rules::Severity> severities_;
  std::string version_;
  std::function<void(std::string)> send_;
  rules::Scratch scratch_;
  std::map<std::string, Open> open_;  // by URI
  bool initialized_ = false;
  bool shut_down_ = false;
  bool ended_ = false;
};

}  // namespace tinyarms::lsp
