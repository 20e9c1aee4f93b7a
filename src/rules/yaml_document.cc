#include "rules/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <memory>
#include <sstream>
#include <utility>

namespace tinyarms::rules {
namespace {

// Builds the tree from yaml-cpp's events; its own node graph is several times slower.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, anchor);
    add(make(YamlNode::Kind::Null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, anchor);
    YamlNode node = make(YamlNode::Kind::Scalar, mark);
    node.scalar = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, YamlNode::Kind::Sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, YamlNode::Kind::Map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    std::unique_ptr<YamlNode> key;  // of a map, while its value is awaited
  };

  static YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  [[noreturn]] static void refuse(const YAML::Mark& mark) {
    throw YAML::ParserException(mark, "anchors and aliases are not allowed here");
  }
  static void check(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark);
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    check(mark, anchor);
    if (static_cast<int>(open_.size()) >= kYamlDepthMax) {
      throw YAML::ParserException(mark, "nested too deeply");
    }
    open_.push_back({make(kind, mark), nullptr});
  }
  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::Sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key) {
      parent.node.entries.push_back({std::move(*parent.key), std::move(node)});
      parent.key.reset();
    } else if (node.kind == YamlNode::Kind::Scalar) {
      parent.key = std::make_unique<YamlNode>(std::move(node));
    } else {
      YAML::Mark mark;
      mark.line = node.line - 1;
      mark.column = node.column - 1;
      throw YAML::ParserException(mark, "a key must be plain text");
    }
  }

  YamlNode root_;
  std::vector<Open> open_;
};

Error make_error(std::string_view name, int line, int column, std::string what) {
  return Error{ErrorCode::Config, std::move(what), fmt::format("{}:{}:{}", name, line, column),
               "mend the YAML; the rules before this place are in use"};
}

}  // namespace

YamlNode::YamlNode() = default;
YamlNode::~YamlNode() = default;
YamlNode::YamlNode(YamlNode&&) noexcept = default;
YamlNode& YamlNode::operator=(YamlNode&&) noexcept = default;

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

std::string yaml_position(std::string_view name, const YamlNode& node) {
  return fmt::format("{}:{}:{}", name, node.line, node.column);
}

YamlFile read_yaml(std::string_view name, std::string_view bytes) {
  YamlFile file;
  if (bytes.size() > kYamlBytesMax) {
    file.errors.push_back(make_error(
        name, 1, 1, fmt::format("larger than {} bytes, the most that is read", kYamlBytesMax)));
    return file;
  }
  try {
    std::istringstream stream{std::string(bytes)};
    YAML::Parser parser(stream);
    for (;;) {
      TreeBuilder builder;
      if (!parser.HandleNextDocument(builder)) break;
      file.documents.push_back(builder.take());
    }
  } catch (const YAML::Exception& e) {
    file.errors.push_back(make_error(name, e.mark.line + 1, e.mark.column + 1, e.msg));
  } catch (const std::exception& e) {
    file.errors.push_back(make_error(name, 1, 1, e.what()));
  }
  return file;
}

}  // namespace tinyarms::rules
