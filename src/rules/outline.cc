#include "rules/outline.h"

#include <algorithm>
#include <iterator>

#include "rules/syntax_tree.h"

namespace tinyarms::rules {
namespace {

// Kinds of nodes by language; names are separated by blanks. A wrapper stands around a definition
// and belongs to it (a decorator, `export`, `template`).
struct Kinds {
  std::string_view language;
  std::string_view functions;
  std::string_view classes;
  std::string_view containers;
  std::string_view wrappers;
};

constexpr std::string_view kScriptFunctions =
    "function_declaration generator_function_declaration method_definition lexical_declaration "
    "variable_declaration";
constexpr std::string_view kScriptClasses =
    "class_declaration abstract_class_declaration interface_declaration enum_declaration "
    "type_alias_declaration";

constexpr Kinds kKinds[] = {
    {"bash", "function_definition", "", "", ""},
    {"c", "function_definition preproc_function_def",
     "struct_specifier union_specifier enum_specifier", "linkage_specification preproc_ifdef",
     "type_definition declaration"},
    {"cpp", "function_definition preproc_function_def",
     "class_specifier struct_specifier union_specifier enum_specifier concept_definition",
     "namespace_definition linkage_specification preproc_ifdef preproc_if",
     "template_declaration type_definition declaration"},
    {"csharp",
     "method_declaration constructor_declaration property_declaration operator_declaration "
     "local_function_statement",
     "class_declaration struct_declaration interface_declaration enum_declaration "
     "record_declaration",
     "namespace_declaration", ""},
    {"go", "function_declaration method_declaration", "type_declaration", "", ""},
    {"java", "method_declaration constructor_declaration",
     "class_declaration interface_declaration enum_declaration record_declaration "
     "annotation_type_declaration",
     "", ""},
    {"javascript", kScriptFunctions, kScriptClasses, "", "export_statement"},
    {"kotlin", "function_declaration", "class_declaration object_declaration", "", ""},
    {"php", "function_definition method_declaration",
     "class_declaration interface_declaration trait_declaration enum_declaration",
     "namespace_definition", ""},
    {"python", "function_definition", "class_definition", "if_statement",
     "decorated_definition"},
    {"ruby", "method singleton_method", "class", "module", ""},
    {"rust", "function_item macro_definition function_signature_item",
     "struct_item enum_item trait_item union_item type_item", "impl_item mod_item", ""},
    {"scala", "function_definition", "class_definition object_definition trait_definition", "",
     ""},
    {"swift", "function_declaration init_declaration", "class_declaration protocol_declaration",
     "", ""},
    {"tsx", kScriptFunctions, kScriptClasses, "internal_module module", "export_statement"},
    {"typescript", kScriptFunctions, kScriptClasses, "internal_module module",
     "export_statement"},
};

constexpr uint32_t kOutlineDepthMax = 16;
constexpr size_t kNameBytesMax = 200;

bool lists(std::string_view list, std::string_view word) {
  for (size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return true;
  }
  return false;
}

TSNode field(TSNode node, std::string_view name) {
  return ts_node_child_by_field_name(node, name.data(), static_cast<uint32_t>(name.size()));
}

class Outliner {
 public:
  Outliner(const SyntaxTree& tree, const Kinds& kinds) : tree_(tree), kinds_(kinds) {}

  std::vector<OutlineItem> run() {
    visit_children(tree_.root(), "", 0);
    return std::move(items_);
  }

 private:
  void visit_children(TSNode parent, const std::string& owner, uint32_t depth) {
    if (depth > kOutlineDepthMax) return;
    uint32_t comment_line = 0;  // where a run of comments began that nothing interrupted
    uint32_t comment_end = 0;
    const uint32_t count = ts_node_named_child_count(parent);
    TSTreeCursor cursor = ts_tree_cursor_new(parent);
    bool more = count > 0 && ts_tree_cursor_goto_first_child(&cursor);
    for (; more; more = ts_tree_cursor_goto_next_sibling(&cursor)) {
      const TSNode child = ts_tree_cursor_current_node(&cursor);
      if (!ts_node_is_named(child)) continue;
      const std::string_view kind = ts_node_type(child);
      const uint32_t first = ts_node_start_point(child).row + 1;
      if (kind.find("comment") != std::string_view::npos) {
        if (comment_line == 0 || first > comment_end + 1) comment_line = first;
        comment_end = last_line(child);
        continue;
      }
      const uint32_t begin = comment_line != 0 && comment_end + 1 == first ? comment_line : first;
      comment_line = 0;
      visit(child, child, begin, owner, depth);
    }
    ts_tree_cursor_delete(&cursor);
  }

  // `outer`: the node with the wrappers around `node`.
  void visit(TSNode node, TSNode outer, uint32_t begin, const std::string& owner, uint32_t depth) {
    const std::string_view kind = ts_node_type(node);
    if (lists(kinds_.wrappers, kind)) return visit_wrapped(node, outer, begin, owner, depth);
    if (lists(kinds_.functions, kind)) {
      if (is_variable(kind) && !holds_function(node)) return;
      return add(Definition::Function, node, outer, begin, owner, depth);
    }
    if (lists(kinds_.classes, kind)) {
      // `struct a *b` names one that is defined elsewhere.
      const bool has_body = !ts_node_is_null(field(node, "body")) || kind.find("specifier") ==
                                                                         std::string_view::npos;
      if (!has_body) return;
      add(Definition::Class, node, outer, begin, owner, depth);
      return visit_members(node, joined(owner, name_of(node)), depth + 1);
    }
    if (!lists(kinds_.containers, kind)) return;
    const bool named = kind.find("namespace") != std::string_view::npos ||
                       kind.find("impl") != std::string_view::npos ||
                       kind.find("mod") != std::string_view::npos;
    if (!named) return visit_members(node, owner, depth);
    add(Definition::Container, node, outer, begin, owner, depth);
    visit_members(node, joined(owner, name_of(node)), depth + 1);
  }

  void visit_wrapped(TSNode node, TSNode outer, uint32_t begin, const std::string& owner,
                     uint32_t depth) {
    const uint32_t count = ts_node_named_child_count(node);
    for (uint32_t i = 0; i < count && i < 64; ++i) {
      const TSNode inner = ts_node_named_child(node, i);
      const std::string_view kind = ts_node_type(inner);
      if (lists(kinds_.functions, kind) || lists(kinds_.classes, kind) ||
          lists(kinds_.wrappers, kind)) {
        return visit(inner, outer, begin, owner, depth);
      }
    }
  }

  // Members stand in a body, or (Rust's declaration_list, Kotlin's class_body) in a child of it.
  void visit_members(TSNode node, const std::string& owner, uint32_t depth) {
    const TSNode body = field(node, "body");
    if (!ts_node_is_null(body)) return visit_children(body, owner, depth);
    const uint32_t count = ts_node_named_child_count(node);
    bool found = false;
    for (uint32_t i = 0; i < count && i < 4096; ++i) {
      const TSNode child = ts_node_named_child(node, i);
      const std::string_view kind = ts_node_type(child);
      if (kind.find("body") == std::string_view::npos && kind != "declaration_list" &&
          kind != "block" && kind != "consequence" && kind != "template_body") {
        continue;
      }
      visit_children(child, owner, depth);
      found = true;
    }
    if (!found) visit_children(node, owner, depth);
  }

  void add(Definition definition, TSNode node, TSNode outer, uint32_t begin,
           const std::string& owner, uint32_t depth) {
    items_.push_back({.definition = definition,
                      .name = name_of(node),
                      .owner = owner,
                      .first_line = begin,
                      .last_line = last_line(outer),
                      .depth = depth});
  }

  static bool is_variable(std::string_view kind) {
    return kind == "lexical_declaration" || kind == "variable_declaration";
  }

  // `const f = () => …`
  static bool holds_function(TSNode declaration) {
    const TSNode declarator = ts_node_named_child(declaration, 0);
    if (ts_node_is_null(declarator)) return false;
    const TSNode value = field(declarator, "value");
    if (ts_node_is_null(value)) return false;
    const std::string_view kind = ts_node_type(value);
    return kind == "arrow_function" || kind == "function_expression" || kind == "function";
  }

  std::string name_of(TSNode node) const {
    TSNode named = field(node, "name");
    if (ts_node_is_null(named) && is_variable(ts_node_type(node))) {
      named = field(ts_node_named_child(node, 0), "name");
    }
    if (ts_node_is_null(named)) named = innermost_declarator(node);
    if (ts_node_is_null(named)) named = field(node, "type");  // Rust's impl
    if (ts_node_is_null(named)) named = first_name(node);
    if (ts_node_is_null(named)) return {};
    std::string name(tree_.text(named));
    if (name.size() > kNameBytesMax || name.find('\n') != std::string::npos) return {};
    return name;
  }

  // C's declarators nest: pointer, function, then the name.
  static TSNode innermost_declarator(TSNode node) {
    TSNode declarator = field(node, "declarator");
    for (int step = 0; step < 16 && !ts_node_is_null(declarator); ++step) {
      TSNode inner = field(declarator, "declarator");
      if (ts_node_is_null(inner) &&
          std::string_view(ts_node_type(declarator)) == "reference_declarator") {
        inner = ts_node_named_child(declarator, 0);
      }
      if (ts_node_is_null(inner)) break;
      declarator = inner;
    }
    return declarator;
  }

  // Kotlin, Swift and Go's types keep the name without a field, one or two levels down.
  static TSNode first_name(TSNode node) {
    for (uint32_t i = 0; i < ts_node_named_child_count(node) && i < 8; ++i) {
      const TSNode child = ts_node_named_child(node, i);
      const std::string_view kind = ts_node_type(child);
      if (kind == "simple_identifier" || kind == "type_identifier" || kind == "identifier") {
        return child;
      }
      if (kind == "type_spec") return field(child, "name");
    }
    return TSNode{};
  }

  std::string joined(const std::string& owner, const std::string& name) const {
    if (owner.empty() || name.empty()) return owner.empty() ? name : owner;
    return owner + std::string(separator(kinds_.language)) + name;
  }

  static uint32_t last_line(TSNode node) {
    const TSPoint end = ts_node_end_point(node);
    const uint32_t first = ts_node_start_point(node).row + 1;
    // A node that ends at the start of a line does not hold that line.
    return std::max(first, end.column == 0 && end.row > 0 ? end.row : end.row + 1);
  }

 public:
  static std::string_view separator(std::string_view language) {
    const bool colons = language == "cpp" || language == "rust" || language == "php" ||
                        language == "c" || language == "ruby";
    return colons ? "::" : ".";
  }

 private:
  const SyntaxTree& tree_;
  const Kinds& kinds_;
  std::vector<OutlineItem> items_;
};

}  // namespace

std::optional<std::vector<OutlineItem>> outline(std::string_view code, std::string_view language) {
  const auto kinds = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Kinds& each) { return each.language == language; });
  if (kinds == std::end(kKinds)) return std::nullopt;
  const auto tree = SyntaxTree::parse(code, language);
  if (!tree) return std::nullopt;
  return Outliner(*tree, *kinds).run();
}

std::string qualified_name(const OutlineItem& item, std::string_view language) {
  if (item.owner.empty() || item.name.empty()) {
    return item.owner.empty() ? item.name : item.owner;
  }
  return item.owner + std::string(Outliner::separator(language)) + item.name;
}

}  // namespace tinyarms::rules
