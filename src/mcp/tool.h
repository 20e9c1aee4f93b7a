// What the dispatcher offers to clients, without knowing what it does: tools and resources.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/stop_flag.h"
#include "mcp/protocol.h"

namespace tinyarms::mcp {

// Who asks, and what of the machine it may see.
struct Client {
  std::string owner{};  // whose things are kept apart; empty: the user of this machine
  bool files = true;    // the user's files, their index and the decisions logged on this machine
  bool ask = true;
  bool embed = true;
};

struct ToolInfo {
  std::string name{};
  std::string title{};
  std::string description{};
  OrderedJson input_schema{};
  OrderedJson output_schema{};
  bool read_only = true;
  bool open_world = false;  // may reach beyond this machine
};

struct ToolResult {
  OrderedJson structured{};  // null where it failed
  std::string text{};        // the same for a reader
  bool failed = false;

  static ToolResult failure(std::string why) { return {nullptr, std::move(why), true}; }
};

// One tools/call on its way. Exactly one `finish`, from any thread.
class ToolCall {
 public:
  virtual ~ToolCall() = default;
  virtual const Client& client() const = 0;
  virtual std::shared_ptr<const StopFlag> stop() const = 0;  // raised: nobody waits any more
  // Any thread; told only to a client that asked for it. `done` grows.
  virtual void progress(double done, std::string_view message) = 0;
  virtual void finish(ToolResult result) = 0;
};

class Tool {
 public:
  virtual ~Tool() = default;
  virtual ToolInfo info() const = 0;
  // Must not block. What is wrong with the arguments is a failed result, for the model to mend.
  // `arguments`: an object, gone when this returns: as JSON they may be many times what was sent.
  virtual void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) = 0;
};

struct ResourceInfo {
  std::string uri{};  // of a template: with {name}
  std::string name{};
  std::string title{};
  std::string description{};
};

// One resources/read. Exactly one `finish`, from any thread; null where there is no such resource.
class ResourceCall {
 public:
  virtual ~ResourceCall() = default;
  virtual const std::string& uri() const = 0;
  virtual const Client& client() const = 0;
  virtual std::shared_ptr<const StopFlag> stop() const = 0;  // raised: nobody waits any more
  virtual void finish(std::optional<OrderedJson> content) = 0;
};

// JSON documents.
class Resources {
 public:
  virtual ~Resources() = default;
  virtual std::vector<ResourceInfo> list() const = 0;
  virtual std::vector<ResourceInfo> templates() const = 0;
  virtual void read(const std::shared_ptr<ResourceCall>& call) = 0;  // must not block
};

}  // namespace tinyarms::mcp
