#include "lsp/server.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::lsp {
namespace {

using jsonrpc::Message;

constexpr int kServerNotInitialized = -32002;
constexpr size_t kLspBytesMax = 16 << 20;

int severity_number(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::Error: return 1;
    case rules::Severity::Warning: return 2;
    case rules::Severity::Info: return 3;
    default: return 4;
  }
}

OrderedJson position_json(Position position) {
  return {{"line", position.line}, {"character", position.character}};
}

OrderedJson range_json(const Document& document, rules::ByteRange range) {
  return {{"start", position_json(document.position_of(range.start))},
          {"end", position_json(document.position_of(range.end))}};
}

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> text_of(const Json& object, const char* name) {
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<uint32_t> count_of(const Json& object, const char* name) {
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_number_unsigned()) return std::nullopt;
  return static_cast<uint32_t>(std::min<uint64_t>(found->get<uint64_t>(), UINT32_MAX));
}

std::optional<Position> position_in(const Json* object) {
  if (object == nullptr) return std::nullopt;
  const auto line = count_of(*object, "line");
  const auto character = count_of(*object, "character");
  if (!line || !character) return std::nullopt;
  return Position{*line, *character};
}

std::optional<Range> range_in(const Json* object) {
  if (object == nullptr) return std::nullopt;
  const auto start = position_in(member(*object, "start"));
  const auto end = position_in(member(*object, "end"));
  if (!start || !end) return std::nullopt;
  return Range{*start, *end};
}

std::string uri_in(const Json& params) {
  const Json* document = member(params, "textDocument");
  return document != nullptr ? text_of(*document, "uri").value_or("") : "";
}

// By what the editor calls it, else by the name's ending.
const rules::Language* language_of(const Document& document, const std::string& uri) {
  if (document.language() == "typescriptreact") return rules::find_language("tsx");
  if (document.language() == "javascriptreact") return rules::find_language("javascript");
  if (document.language() == "shellscript") return rules::find_language("bash");
  const rules::Language* named = rules::find_language(document.language());
  return named != nullptr ? named : rules::language_of_path(uri);
}

// False where what the editor now has cannot be known, or is too large.
bool apply(const Json& change, Document& document) {
  auto text = text_of(change, "text");
  if (!text) return false;
  const Json* place = member(change, "range");
  if (place == nullptr || place->is_null()) {
    document.replace_all(std::move(*text));
  } else {
    const auto range = range_in(place);
    if (!range || !document.replace(*range, *text)) return false;
  }
  return document.text().size() <= kDocumentBytesMax;
}

// Where an editor points at, in bytes.
rules::ByteRange bytes_of(const Document& document, const Range& range) {
  return {static_cast<uint32_t>(document.offset_of(range.start)),
          static_cast<uint32_t>(document.offset_of(range.end))};
}

bool touch(rules::ByteRange a, rules::ByteRange b) { return a.start <= b.end && b.start <= a.end; }

}  // namespace

Server::Server(const rules::RuleSet& rules, std::vector<rules::Severity> severities,
               std::string version, std::function<void(std::string)> send)
    : rules_(rules),
      severities_(std::move(severities)),
      version_(std::move(version)),
      send_(std::move(send)) {}

void Server::refuse(const jsonrpc::Failure& failure) {
  send_(jsonrpc::failure_text(nullptr, failure));
}

void Server::take(std::string_view text) {
  const jsonrpc::Parsed parsed = jsonrpc::parse(text, {.bytes_max = kLspBytesMax, .depth_max = 64});
  if (!parsed.message) return send_(jsonrpc::failure_text(parsed.id, parsed.failure));
  switch (parsed.message->kind) {
    case Message::Kind::Request: return request(*parsed.message);
    case Message::Kind::Notification: return notification(*parsed.message);
    case Message::Kind::Response: return;  // nothing was asked of the client
  }
}

void Server::request(const Message& message) {
  const auto reply = [&](OrderedJson result) {
    send_(jsonrpc::result_text(message.id, std::move(result)));
  };
  const auto fail = [&](int code, std::string why) {
    send_(jsonrpc::failure_text(message.id, {code, std::move(why), nullptr}));
  };
  if (shut_down_) return fail(jsonrpc::kInvalidRequest, "the server has been shut down");
  if (message.method == "initialize") {
    if (initialized_) return fail(jsonrpc::kInvalidRequest, "initialized already");
    initialized_ = true;
    return reply(initialize());
  }
  if (!initialized_) return fail(kServerNotInitialized, "the first request is initialize");
  if (message.method == "shutdown") {
    shut_down_ = true;
    return reply(nullptr);
  }
  if (message.method == "textDocument/codeAction") return reply(code_actions(message.params));
  if (message.method == "textDocument/hover") return reply(hover(message.params));
  fail(jsonrpc::kMethodNotFound, fmt::format("no such method: {}", message.method));
}

void Server::notification(const Message& message) {
  if (message.method == "exit") {
    ended_ = true;
    return;
  }
  if (!initialized_ || shut_down_) return;
  if (message.method == "textDocument/didOpen") return did_open(message.params);
  if (message.method == "textDocument/didChange") return did_change(message.params);
  if (message.method == "textDocument/didClose") return did_close(message.params);
}

OrderedJson Server::initialize() const {
  return {{"capabilities",
           {{"positionEncoding", "utf-16"},
            {"textDocumentSync", {{"openClose", true}, {"change", 2}}},
            {"hoverProvider", true},
            {"codeActionProvider", {{"codeActionKinds", OrderedJson::array({"quickfix"})}}}}},
          {"serverInfo", {{"name", "tinyarms"}, {"version", version_}}}};
}

void Server::did_open(const Json& params) {
  const Json* document = member(params, "textDocument");
  if (document == nullptr) return;
  const auto uri = text_of(*document, "uri");
  auto text = text_of(*document, "text");
  if (!uri || !text) return;
  if (text->size() > kDocumentBytesMax) return forget(*uri);
  if (open_.size() >= kDocumentsMax && !open_.contains(*uri)) return;
  const Json* version = member(*document, "version");
  const auto [place, fresh] = open_.insert_or_assign(
      *uri, Open{Document(text_of(*document, "languageId").value_or(""), std::move(*text)),
                 version != nullptr ? *version : Json(nullptr), {}});
  check(*uri, place->second);
}

void Server::did_change(const Json& params) {
  const Json* document = member(params, "textDocument");
  const Json* changes = member(params, "contentChanges");
  const auto found = open_.find(uri_in(params));
  if (document == nullptr || found == open_.end()) return;
  if (changes == nullptr || !changes->is_array()) return;
  Open& open = found->second;
  for (const Json& change : *changes) {
    // Findings and fixes of another text than the editor's would be worse than none.
    if (!apply(change, open.document)) return forget(std::string(found->first));
  }
  if (const Json* version = member(*document, "version")) open.version = *version;
  check(found->first, open);
}

void Server::did_close(const Json& params) {
  forget(uri_in(params));
}

void Server::forget(const std::string& uri) {
  if (open_.erase(uri) > 0) publish(uri, nullptr);
}

void Server::check(const std::string& uri, Open& open) {
  open.findings.clear();
  if (const rules::Language* language = language_of(open.document, uri)) {
    // The path only serves globs of rules: a URI's escapes do not matter to those.
    constexpr std::string_view kFile = "file://";
    const std::string_view path =
        uri.starts_with(kFile) ? std::string_view(uri).substr(kFile.size()) : uri;
    open.findings = rules::scan(rules_, open.document.text(),
                                {.path = path,
                                 .language = language,
                                 .severities = severities_,
                                 .bytes_max = kDocumentBytesMax},
                                scratch_)
                        .findings;
  }
  publish(uri, &open);
}

OrderedJson Server::diagnostic(const Document& document, const rules::Finding& finding) const {
  OrderedJson json = {{"range", range_json(document, finding.range)},
                      {"severity", severity_number(finding.rule->severity)},
                      {"code", finding.rule->id},
                      {"source", "tinyarms"},
                      {"message", finding.message.empty() ? finding.rule->id : finding.message}};
  if (!finding.rule->url.empty()) json["codeDescription"] = {{"href", finding.rule->url}};
  return json;
}

void Server::publish(const std::string& uri, const Open* open) {
  OrderedJson list = OrderedJson::array();
  OrderedJson params = {{"uri", uri}};
  if (open != nullptr) {
    if (open->version.is_number_integer()) params["version"] = OrderedJson(open->version);
    for (const rules::Finding& finding : open->findings) {
      list.push_back(diagnostic(open->document, finding));
    }
  }
  params["diagnostics"] = std::move(list);
  send_(jsonrpc::notification_text("textDocument/publishDiagnostics", std::move(params)));
}

const Server::Open* Server::find(const Json& params) const {
  const auto found = open_.find(uri_in(params));
  return found == open_.end() ? nullptr : &found->second;
}

OrderedJson Server::code_actions(const Json& params) const {
  OrderedJson actions = OrderedJson::array();
  const Open* open = find(params);
  const auto range = range_in(member(params, "range"));
  if (open == nullptr || !range) return actions;
  const std::string uri = uri_in(params);
  const Document& document = open->document;
  const rules::ByteRange wanted = bytes_of(document, *range);
  for (const rules::Finding& finding : open->findings) {
    if (!touch(wanted, finding.range)) continue;
    for (size_t i = 0; i < finding.fixes.size(); ++i) {
      const rules::Fix& fix = finding.fixes[i];
      OrderedJson edit = {{"range", range_json(document, fix.range)},
                          {"newText", fix.replacement}};
      const std::string title =
          fix.title.empty() ? fmt::format("Fix: {}", finding.rule->id) : fix.title;
      OrderedJson action = {
          {"title", title},
          {"kind", "quickfix"},
          {"isPreferred", i == 0},
          {"diagnostics", OrderedJson::array({diagnostic(document, finding)})}};
      action["edit"]["changes"][uri] = OrderedJson::array({std::move(edit)});
      actions.push_back(std::move(action));
    }
  }
  return actions;
}

OrderedJson Server::hover(const Json& params) const {
  const Open* open = find(params);
  const auto at = position_in(member(params, "position"));
  if (open == nullptr || !at) return nullptr;
  std::string text;
  OrderedJson range;
  const Document& document = open->document;
  const rules::ByteRange here = bytes_of(document, {*at, *at});
  for (const rules::Finding& finding : open->findings) {
    if (!touch(here, finding.range)) continue;
    if (range.is_null()) range = range_json(document, finding.range);
    text += fmt::format("{}**{}**: {}", text.empty() ? "" : "\n\n---\n\n", finding.rule->id,
                        finding.message);
    if (!finding.rule->note.empty()) text += "\n\n" + finding.rule->note;
    if (!finding.rule->url.empty()) text += fmt::format("\n\n<{}>", finding.rule->url);
  }
  if (text.empty()) return nullptr;
  return {{"contents", {{"kind", "markdown"}, {"value", text}}}, {"range", range}};
}

}  // namespace tinyarms::lsp
