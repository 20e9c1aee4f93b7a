#include "mcp/dispatcher.h"

#include <fmt/format.h>

#include <atomic>

namespace tinyarms::mcp {
namespace {

using jsonrpc::Failure;
using jsonrpc::kInvalidParams;
using jsonrpc::kInvalidRequest;
using jsonrpc::kMethodNotFound;
using jsonrpc::Message;

OrderedJson tool_json(const ToolInfo& info) {
  return {{"name", info.name},
          {"title", info.title},
          {"description", info.description},
          {"inputSchema", info.input_schema},
          {"outputSchema", info.output_schema},
          {"annotations",
           {{"title", info.title},
            {"readOnlyHint", info.read_only},
            {"destructiveHint", false},
            {"openWorldHint", info.open_world}}}};
}

OrderedJson resource_json(const ResourceInfo& info, const char* uri_field) {
  return {{uri_field, info.uri},
          {"name", info.name},
          {"title", info.title},
          {"description", info.description},
          {"mimeType", "application/json"}};
}

OrderedJson result_json(const ToolResult& result) {
  OrderedJson content = {{"type", "text"}, {"text", result.text}};
  OrderedJson json = {{"content", OrderedJson::array({std::move(content)})}};
  if (!result.structured.is_null()) json["structuredContent"] = result.structured;
  json["isError"] = result.failed;
  return json;
}

// What a client asks to be told of progress under; null where it does not.
Json progress_token(const Json& params) {
  const auto meta = params.find("_meta");
  if (meta == params.end() || !meta->is_object()) return nullptr;
  const auto token = meta->find("progressToken");
  if (token == meta->end() || !(token->is_string() || token->is_number_integer())) return nullptr;
  return *token;
}

bool is_handshake_only(std::string_view method) {
  return method == "initialize" || method == "ping";
}

}  // namespace

// A request that was let in: answered once, whoever does it.
class Dispatcher::Running : public std::enable_shared_from_this<Running> {
 public:
  Running(Dispatcher& dispatcher, const Message& message, const Arrival& arrival,
          std::shared_ptr<Answer> answer)
      : dispatcher_(dispatcher),
        arrival_(arrival),
        id_(message.id),
        token_(progress_token(message.params)),
        answer_(std::move(answer)) {}
  ~Running() {
    // A tool that let go of its call: a bug of it, not the client's to wait for.
    fail({jsonrpc::kInternalError, "the call was let go without an answer", nullptr});
  }

  const Arrival& arrival() const { return arrival_; }
  const Json& id() const { return id_; }

  void reply(OrderedJson result, bool cacheable) {
    if (done_.exchange(true)) return;
    dispatcher_.leave(*this);
    if (cancelled_) return answer_->drop();
    if (arrival_.stateless) {
      result = stateless_result(std::move(result), dispatcher_.offer_.info, cacheable);
    }
    answer_->reply(jsonrpc::result_text(id_, std::move(result)));
  }

  void fail(const Failure& failure) {
    if (done_.exchange(true)) return;
    dispatcher_.leave(*this);
    cancelled_ ? answer_->drop() : answer_->fail(failure);
  }

  void progress(double done, std::string_view message) {
    if (token_.is_null() || done_ || arrival_.stop->raised()) return;
    answer_->notify(jsonrpc::notification_text(
        "notifications/progress", {{"progressToken", OrderedJson(token_)},
                                   {"progress", done},
                                   {"message", message}}));
  }

  void cancel() {
    cancelled_ = true;
    arrival_.stop->raise();
  }
  void halt() { arrival_.stop->raise(); }

 private:
  Dispatcher& dispatcher_;
  Arrival arrival_;
  Json id_;
  Json token_;
  std::shared_ptr<Answer> answer_;
  std::atomic<bool> done_{false};
  std::atomic<bool> cancelled_{false};
};

class Dispatcher::RunningTool final : public ToolCall {
 public:
  explicit RunningTool(std::shared_ptr<Running> running) : running_(std::move(running)) {}
  const Client& client() const override { return running_->arrival().client; }
  std::shared_ptr<const StopFlag> stop() const override { return running_->arrival().stop; }
  void progress(double done, std::string_view message) override {
    running_->progress(done, message);
  }
  void finish(ToolResult result) override { running_->reply(result_json(result), false); }

 private:
  std::shared_ptr<Running> running_;
};

class Dispatcher::RunningRead final : public ResourceCall {
 public:
  RunningRead(std::shared_ptr<Running> running, std::string uri)
      : running_(std::move(running)), uri_(std::move(uri)) {}
  const std::string& uri() const override { return uri_; }
  const Client& client() const override { return running_->arrival().client; }
  std::shared_ptr<const StopFlag> stop() const override { return running_->arrival().stop; }
  void finish(std::optional<OrderedJson> content) override {
    if (!content) {
      const int code = running_->arrival().stateless ? kInvalidParams : kResourceNotFound;
      return running_->fail({code, "Resource not found", {{"uri", uri_}}});
    }
    const std::string text =
        content->dump(2, ' ', false, OrderedJson::error_handler_t::replace);
    OrderedJson document = {{"uri", uri_}, {"mimeType", "application/json"}, {"text", text}};
    running_->reply({{"contents", OrderedJson::array({std::move(document)})}}, true);
  }

 private:
  std::shared_ptr<Running> running_;
  std::string uri_;
};

Dispatcher::Dispatcher(Offer offer) : offer_(std::move(offer)) {
  for (const auto& tool : offer_.tools) names_.push_back(tool->info().name);
}
Dispatcher::~Dispatcher() = default;

OrderedJson Dispatcher::capabilities() const {
  OrderedJson json = {{"tools", OrderedJson::object()}};
  if (offer_.resources) json["resources"] = OrderedJson::object();
  return json;
}

std::string Dispatcher::instructions() const {
  return offer_.instructions ? offer_.instructions() : std::string();
}

OrderedJson Dispatcher::initialize(const Json& params) const {
  std::string version(kNewestHandshake);
  const auto wished = params.find("protocolVersion");
  if (wished != params.end() && wished->is_string() &&
      is_handshake_version(wished->get_ref<const std::string&>())) {
    version = wished->get<std::string>();
  }
  return {{"protocolVersion", version},
          {"capabilities", capabilities()},
          {"serverInfo", server_info_json(offer_.info)},
          {"instructions", instructions()}};
}

OrderedJson Dispatcher::discover() const {
  return {{"supportedVersions", supported_versions()},
          {"capabilities", capabilities()},
          {"instructions", instructions()}};
}

OrderedJson Dispatcher::list_tools() const {
  OrderedJson tools = OrderedJson::array();
  for (const auto& tool : offer_.tools) tools.push_back(tool_json(tool->info()));
  return {{"tools", std::move(tools)}};
}

OrderedJson Dispatcher::list_resources(bool templates) const {
  OrderedJson list = OrderedJson::array();
  for (const ResourceInfo& info :
       templates ? offer_.resources->templates() : offer_.resources->list()) {
    list.push_back(resource_json(info, templates ? "uriTemplate" : "uri"));
  }
  return {{templates ? "resourceTemplates" : "resources", std::move(list)}};
}

bool Dispatcher::enter(const std::shared_ptr<Running>& running) {
  const std::lock_guard lock(mutex_);
  ++under_way_;
  if (running->arrival().session.empty()) return true;
  Key key{running->arrival().session, running->id().dump()};
  return by_id_.emplace(std::move(key), running.get()).second;
}

void Dispatcher::leave(Running& running) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  const auto found = by_id_.find({running.arrival().session, running.id().dump()});
  if (found != by_id_.end() && found->second == &running) by_id_.erase(found);
}

void Dispatcher::request(const Message& message, const Arrival& arrival,
                         const std::shared_ptr<Answer>& answer) {
  auto running = std::make_shared<Running>(*this, message, arrival, answer);
  if (!enter(running)) {
    return running->fail({kInvalidRequest, "a request with this id is under way", nullptr});
  }
  if (!message.params.is_object()) {
    return running->fail({kInvalidParams, "params must be an object", nullptr});
  }
  const std::string& method = message.method;
  if (arrival.stateless) {
    if (auto wrong = check_envelope(message.params)) return running->fail(*wrong);
    if (method == "server/discover") return running->reply(discover(), true);
  }
  if (arrival.stateless ? is_handshake_only(method) : method == "server/discover") {
    return running->fail({kMethodNotFound, fmt::format("no such method: {}", method), nullptr});
  }
  if (method == "initialize") return running->reply(initialize(message.params), false);
  if (method == "ping") return running->reply(OrderedJson::object(), false);
  if (method == "tools/list") return running->reply(list_tools(), true);
  if (method == "tools/call") return call_tool(running, message.params);
  if (offer_.resources) {
    if (method == "resources/list") return running->reply(list_resources(false), true);
    if (method == "resources/templates/list") return running->reply(list_resources(true), true);
    if (method == "resources/read") return read_resource(running, message.params);
  }
  running->fail({kMethodNotFound, fmt::format("no such method: {}", method), nullptr});
}

void Dispatcher::call_tool(const std::shared_ptr<Running>& running, const Json& params) {
  const auto name = params.find("name");
  if (name == params.end() || !name->is_string()) {
    return running->fail({kInvalidParams, "params.name must be a string", nullptr});
  }
  const Json none = Json::object();
  const Json* arguments = &none;
  if (const auto given = params.find("arguments"); given != params.end() && !given->is_null()) {
    if (!given->is_object()) {
      return running->fail({kInvalidParams, "params.arguments must be an object", nullptr});
    }
    arguments = &*given;
  }
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] != name->get_ref<const std::string&>()) continue;
    return offer_.tools[i]->run(std::make_shared<RunningTool>(running), *arguments);
  }
  running->fail({kInvalidParams, fmt::format("Unknown tool: {}", name->get<std::string>()),
                 nullptr});
}

void Dispatcher::read_resource(const std::shared_ptr<Running>& running, const Json& params) {
  const auto uri = params.find("uri");
  if (uri == params.end() || !uri->is_string()) {
    return running->fail({kInvalidParams, "params.uri must be a string", nullptr});
  }
  offer_.resources->read(std::make_shared<RunningRead>(running, uri->get<std::string>()));
}

void Dispatcher::notification(const Message& message, const std::string& session) {
  if (message.method != "notifications/cancelled" || session.empty()) return;
  if (!message.params.is_object()) return;
  const auto id = message.params.find("requestId");
  if (id == message.params.end() || !(id->is_string() || id->is_number_integer())) return;
  std::shared_ptr<Running> running;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find({session, id->dump()});
    if (found != by_id_.end()) running = found->second->weak_from_this().lock();
  }
  if (running) running->cancel();
}

void Dispatcher::stop(const std::string& session) {
  std::vector<std::shared_ptr<Running>> held;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, running] : by_id_) {
      if (!session.empty() && key.first != session) continue;
      if (auto one = running->weak_from_this().lock()) held.push_back(std::move(one));
    }
  }
  for (const auto& one : held) one->halt();
}

size_t Dispatcher::under_way() const {
  const std::lock_guard lock(mutex_);
  return under_way_;
}

}  // namespace tinyarms::mcp
