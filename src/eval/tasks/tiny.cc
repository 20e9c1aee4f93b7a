// The bundled suite: 256 short original items over code, general knowledge, maths and tool calls,
// in the binary, so that a cascade can be measured anywhere and offline.
#include "eval/task_registry.h"
#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval {
namespace {

class Tiny final : public Task {
 public:
  std::string_view name() const override { return "tiny"; }
  std::string_view description() const override {
    return "The bundled suite: short items over code, general, maths and tools";
  }
  std::string_view caveat() const override {
    return "graded for small models: it tells tiers apart, it is no measure of large ones";
  }
  std::vector<std::string> files(const std::filesystem::path&) const override { return {}; }
  bool runs_code() const override { return true; }

  // Group after group, easy items first: an evenly spread part of them has some of each.
  Result<std::vector<Item>> read(const std::filesystem::path&) const override {
    std::vector<Item> items;
    for (auto* make : {tiny::code_items, tiny::general_items, tiny::maths_items,
                       tiny::tools_items}) {
      for (Item& item : make()) items.push_back(std::move(item));
    }
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    return tiny::judge(item, answer, judge);
  }
};

}  // namespace

std::unique_ptr<Task> make_tiny() { return std::make_unique<Tiny>(); }

}  // namespace tinyarms::eval

namespace tinyarms::eval::tiny {

std::string_view data_file(std::string_view name) {
  for (const EmbeddedFile& file : data_files()) {
    if (file.name == name) return file.bytes;
  }
  return {};
}

}  // namespace tinyarms::eval::tiny
