// The methods of MCP, for both eras and any transport: answers what is known at once, hands the
// rest to tools and resources, and finds the request that a client no longer wants.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "mcp/tool.h"

namespace tinyarms::mcp {

// Where the answer to one request goes. Any thread; exactly one of `reply`, `fail` and `drop`.
class Answer {
 public:
  virtual ~Answer() = default;
  virtual void reply(std::string text) = 0;                      // a whole JSON-RPC message
  virtual void fail(const jsonrpc::Failure& failure) = 0;
  virtual void notify(std::string text) = 0;                     // before the reply
  virtual void drop() = 0;  // the client has cancelled it and expects nothing
};

// How a message came.
struct Arrival {
  bool stateless = false;
  std::string session{};  // in which ids are unique and may be cancelled; empty: none
  Client client{};
  // Raised by the transport when the client has gone, by the dispatcher when it has cancelled.
  std::shared_ptr<StopFlag> stop{};
};

struct Offer {
  ServerInfo info{};
  std::function<std::string()> instructions{};  // as they are now; none: empty
  std::vector<std::unique_ptr<Tool>> tools{};
  std::unique_ptr<Resources> resources{};
};

// Thread-safe. Outlives the requests under way.
class Dispatcher {
 public:
  explicit Dispatcher(Offer offer);
  ~Dispatcher();

  // `message` is a request.
  void request(const jsonrpc::Message& message, const Arrival& arrival,
               const std::shared_ptr<Answer>& answer);
  // `message` is a notification.
  void notification(const jsonrpc::Message& message, const std::string& session);

  // Stops everything of a session. Empty: of all.
  void stop(const std::string& session);
  size_t under_way() const;

 private:
  class Running;
  class RunningTool;
  class RunningRead;
  using Key = std::pair<std::string, std::string>;  // session, id as JSON

  OrderedJson initialize(const Json& params) const;
  OrderedJson discover() const;
  OrderedJson capabilities() const;
  std::string instructions() const;
  OrderedJson list_tools() const;
  OrderedJson list_resources(bool templates) const;
  void call_tool(const std::shared_ptr<Running>& running, const Json& params);
  void read_resource(const std::shared_ptr<Running>& running, const Json& params);
  bool enter(const std::shared_ptr<Running>& running);
  void leave(Running& running);

  Offer offer_;
  std::vector<std::string> names_;  // of the tools: a call need not build every schema to find one
  mutable std::mutex mutex_;
  std::map<Key, Running*> by_id_;  // each leaves before it goes
  size_t under_way_ = 0;
};

}  // namespace tinyarms::mcp
