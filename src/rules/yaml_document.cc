#include "rules/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
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
    finish(make(YamlNode::Kind::Null, mark), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "an alias to what is not complete yet");
    copied_ += known->second.count();
    if (copied_ > kYamlCopiesMax) refuse(mark, "aliases stand for too much");
    if (static_cast<int>(open_.size()) + known->second.depth() > kYamlDepthMax) {
      refuse(mark, "nested too deeply");
    }
    YamlNode copy = known->second.clone();
    copy.line = mark.line + 1;
    copy.column = mark.column + 1;
    add(std::move(copy));
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(YamlNode::Kind::Scalar, mark);
    node.scalar = value;
    finish(std::move(node), anchor);
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
    YAML::anchor_t anchor = 0;
  };

  static YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  [[noreturn]] static void refuse(const YAML::Mark& mark, const char* why) {
    throw YAML::ParserException(mark, why);
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    if (static_cast<int>(open_.size()) >= kYamlDepthMax) refuse(mark, "nested too deeply");
    open_.push_back({make(kind, mark), nullptr, anchor});
  }
  void close() {
    YamlNode node = std::move(open_.back().node);
    const YAML::anchor_t anchor = open_.back().anchor;
    open_.pop_back();
    finish(std::move(node), anchor);
  }
  void finish(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      copied_ += node.count();
      if (copied_ > kYamlCopiesMax) {
        YAML::Mark mark;
        mark.line = node.line - 1;
        mark.column = node.column - 1;
        refuse(mark, "aliases stand for too much");
      }
      anchors_[anchor] = node.clone();
    }
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
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t copied_ = 0;
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

YamlNode YamlNode::clone() const {
  YamlNode copy;
  copy.kind = kind;
  copy.scalar = scalar;
  copy.line = line;
  copy.column = column;
  for (const YamlNode& item : items) copy.items.push_back(item.clone());
  for (const auto& [key, value] : entries) copy.entries.push_back({key.clone(), value.clone()});
  return copy;
}

size_t YamlNode::count() const {
  size_t count = 1;
  for (const YamlNode& item : items) count += item.count();
  for (const auto& [key, value] : entries) count += 1 + value.count();
  return count;
}

int YamlNode::depth() const {
  int below = 0;
  for (const YamlNode& item : items) below = std::max(below, item.depth());
  for (const auto& [key, value] : entries) below = std::max(below, value.depth());
  return below + 1;
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
