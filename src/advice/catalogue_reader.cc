#include "advice/catalogue_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/sha256.h"
#include "catalog/model_store.h"
#include "service/toml_reader.h"

namespace tinyarms::advice {
namespace {

using service::TomlNode;

constexpr double kParametersMax = 1e14;
constexpr double kBytesMax = 1e14;
constexpr double kScoreMax = 100;
constexpr double kPriceMax = 1e6;

const std::vector<std::string> kBenchmarks = {"HumanEval", "MBPP", "MMLU",      "MATH",
                                              "LiveCodeBench", "MTEB", "BFCL", "HellaSwag",
                                              "NDCG@10 TREC-DL19", "MRR@10 MS MARCO"};

using Sources = std::map<std::string, Source, std::less<>>;

class EntryReader : public service::TomlReader {
 public:
  EntryReader(std::string file, const Sources& sources)
      : TomlReader(std::move(file)), sources_(sources) {}

  uint64_t count(const TomlNode& node, double high) {
    const auto* whole = std::get_if<int64_t>(&node.value);
    if (node.kind == TomlNode::Kind::Value && whole != nullptr && *whole > 0 &&
        static_cast<double>(*whole) <= high) {
      return static_cast<uint64_t>(*whole);
    }
    refuse(node, fmt::format("{} is not a whole number from 1 to {:.0f}",
                             service::printable(node.key), high));
    return 1;
  }
  uint32_t small(const TomlNode& node) {
    return static_cast<uint32_t>(count(node, std::numeric_limits<int32_t>::max()));
  }

  Source source(const TomlNode& node) {
    const std::string name = text(node);
    const auto known = sources_.find(name);
    if (known != sources_.end()) return known->second;
    refuse(node, fmt::format("no source is called \"{}\"", service::printable(name)),
           fmt::format("write [source.{}] with text and date", name.empty() ? "NAME" : name));
    return {};
  }

  std::string quantisation(const TomlNode& node, const std::string& name) {
    if (const auto known = is_quantisation(name)) return *known;
    refuse(node, fmt::format("unknown quantisation \"{}\"", service::printable(name)),
           fmt::format("known are {}", fmt::join(quantisation_names(), ", ")));
    return {};
  }

  // The tables of an array of them; `heading` is how one begins.
  std::vector<const TomlNode*> tables(const TomlNode& node, const std::string& heading) {
    std::vector<const TomlNode*> found;
    if (node.kind != TomlNode::Kind::Tables) {
      refuse(node, fmt::format("{} is not a list of tables", service::printable(node.key)),
             fmt::format("write {}", heading));
      return found;
    }
    for (const TomlNode& child : node.children) found.push_back(&child);
    return found;
  }

  void need(bool present, const TomlNode& at, std::string_view key) {
    if (!present) refuse(at, fmt::format("{} is missing", key));
  }
  void need_source(const Source& source, const TomlNode& at) {
    if (source.text.empty()) {
      refuse(at, "source is missing", "every figure says where it comes from");
    }
  }

 private:
  const Sources& sources_;
};

ModelShape read_shape(EntryReader& reader, const TomlNode& node) {
  ModelShape shape;
  if (!reader.table(node)) return shape;
  for (const TomlNode& entry : node.children) {
    const std::string& key = entry.key;
    if (key == "architecture") shape.architecture = reader.text(entry);
    else if (key == "layers") shape.layers = reader.small(entry);
    else if (key == "width") shape.width = reader.small(entry);
    else if (key == "feed_forward") shape.feed_forward = reader.small(entry);
    else if (key == "heads") shape.heads = reader.small(entry);
    else if (key == "kv_heads") shape.kv_heads = reader.small(entry);
    else if (key == "head_width") shape.head_width = reader.small(entry);
    else if (key == "vocabulary") shape.vocabulary = reader.small(entry);
    else if (key == "source") shape.source = reader.source(entry);
    else reader.unknown(entry, {"architecture", "layers", "width", "feed_forward", "heads",
                                "kv_heads", "head_width", "vocabulary", "source"});
  }
  reader.need(!shape.architecture.empty(), node, "architecture");
  reader.need(shape.layers > 0, node, "layers");
  reader.need(shape.width > 0, node, "width");
  reader.need(shape.feed_forward > 0, node, "feed_forward");
  reader.need(shape.heads > 0, node, "heads");
  reader.need(shape.kv_heads > 0, node, "kv_heads");
  reader.need(shape.head_width > 0, node, "head_width");
  reader.need(shape.vocabulary > 0, node, "vocabulary");
  reader.need_source(shape.source, node);
  if (shape.kv_heads > shape.heads) {
    reader.refuse(node, "kv_heads is larger than heads", "swapped?");
  }
  return shape;
}

ModelLicence read_licence(EntryReader& reader, const TomlNode& node) {
  ModelLicence licence;
  if (!reader.table(node)) return licence;
  for (const TomlNode& entry : node.children) {
    if (entry.key == "name") licence.name = reader.text(entry);
    else if (entry.key == "source") licence.source = reader.source(entry);
    else if (entry.key == "commercial") {
      licence.commercial = reader.flag(entry) ? Commercial::Yes : Commercial::No;
    } else {
      reader.unknown(entry, {"name", "commercial", "source"});
    }
  }
  reader.need(!licence.name.empty(), node, "name");
  reader.need_source(licence.source, node);
  return licence;
}

ModelFile read_file(EntryReader& reader, const TomlNode& node) {
  ModelFile file;
  for (const TomlNode& entry : node.children) {
    const std::string& key = entry.key;
    if (key == "quantisation") {
      file.quantisation = reader.quantisation(entry, reader.text(entry));
    } else if (key == "repository") file.repository = reader.text(entry);
    else if (key == "name") file.name = reader.text(entry);
    else if (key == "bytes") file.bytes = reader.count(entry, kBytesMax);
    else if (key == "source") file.source = reader.source(entry);
    else if (key == "sha256") {
      file.sha256 = reader.text(entry);
      if (!is_sha256(file.sha256)) {
        reader.refuse(entry, "sha256 is not 64 hexadecimal digits in lower case");
      }
    } else {
      reader.unknown(entry, {"quantisation", "repository", "name", "bytes", "sha256", "source"});
    }
  }
  reader.need(!file.quantisation.empty(), node, "quantisation");
  reader.need_source(file.source, node);
  return file;
}

Score read_score(EntryReader& reader, const TomlNode& node) {
  Score score;
  bool valued = false;
  for (const TomlNode& entry : node.children) {
    if (entry.key == "benchmark") {
      score.benchmark = reader.text(entry);
      if (std::find(kBenchmarks.begin(), kBenchmarks.end(), score.benchmark) ==
          kBenchmarks.end()) {
        reader.refuse(entry, fmt::format("unknown benchmark \"{}\"",
                                         service::printable(score.benchmark)),
                      fmt::format("known are {}", fmt::join(kBenchmarks, ", ")));
      }
    } else if (entry.key == "value") {
      score.value = reader.number(entry, 0, kScoreMax);
      valued = true;
    } else if (entry.key == "approximate") score.approximate = reader.flag(entry);
    else if (entry.key == "source") score.source = reader.source(entry);
    else reader.unknown(entry, {"benchmark", "value", "approximate", "source"});
  }
  reader.need(!score.benchmark.empty(), node, "benchmark");
  reader.need(valued, node, "value");
  reader.need_source(score.source, node);
  return score;
}

Price read_price(EntryReader& reader, const TomlNode& node) {
  Price price;
  bool input = false;
  if (!reader.table(node)) return price;
  for (const TomlNode& entry : node.children) {
    if (entry.key == "input") {
      price.input = reader.number(entry, 0, kPriceMax);
      input = true;
    } else if (entry.key == "output") price.output = reader.number(entry, 0, kPriceMax);
    else if (entry.key == "source") price.source = reader.source(entry);
    else reader.unknown(entry, {"input", "output", "source"});
  }
  reader.need(input, node, "input");
  reader.need_source(price.source, node);
  return price;
}

std::vector<Role> read_roles(EntryReader& reader, const TomlNode& node) {
  std::vector<Role> roles;
  for (const std::string& name : reader.texts(node)) {
    if (const auto role = parse_role(name)) {
      roles.push_back(*role);
    } else {
      reader.refuse(node, fmt::format("unknown role \"{}\"", service::printable(name)),
                    fmt::format("the roles are {}", fmt::join(role_names(), ", ")));
    }
  }
  return roles;
}

std::vector<uint32_t> read_sizes(EntryReader& reader, const TomlNode& node) {
  std::vector<uint32_t> sizes;
  for (const int64_t size : node.integers) {
    if (size > 0 && size <= 65536) sizes.push_back(static_cast<uint32_t>(size));
  }
  if (sizes.empty() || sizes.size() != node.integers.size()) {
    reader.refuse(node, "matryoshka is not a list of dimensions", "write [512, 256, 128]");
  }
  return sizes;
}

void read_text_entry(EntryReader& reader, const TomlNode& entry, CatalogueModel& model) {
  const std::string& key = entry.key;
  if (key == "title") model.title = reader.text(entry);
  else if (key == "vocabulary_family") model.vocabulary_family = reader.text(entry);
  else if (key == "chat_template") model.chat_template = reader.text(entry);
  else if (key == "tool_format") model.tool_format = reader.text(entry);
  else if (key == "repository") model.repository = reader.text(entry);
  else if (key == "languages") model.languages = reader.texts(entry);
  else if (key == "source") model.source = reader.source(entry);
  else if (key == "name") {
    model.name = reader.text(entry);
    if (!catalog::is_model_name(model.name)) {
      reader.refuse(entry, fmt::format("\"{}\" cannot name a model",
                                       service::printable(model.name)),
                    "a name is made of a-z 0-9 . _ -");
    }
  } else {
    reader.unknown(entry, {"name", "title", "roles", "parameters", "active_parameters", "context",
                           "dimensions", "matryoshka", "languages", "vocabulary_family",
                           "chat_template", "tool_format", "repository", "remote", "source",
                           "quantisations", "shape", "licence", "file", "score", "price"});
  }
}

void read_entry(EntryReader& reader, const TomlNode& entry, CatalogueModel& model) {
  const std::string& key = entry.key;
  if (key == "roles") model.roles = read_roles(reader, entry);
  else if (key == "parameters") model.parameters = reader.count(entry, kParametersMax);
  else if (key == "active_parameters") {
    model.active_parameters = reader.count(entry, kParametersMax);
  } else if (key == "context") model.context_tokens = reader.small(entry);
  else if (key == "dimensions") model.dimensions = reader.small(entry);
  else if (key == "matryoshka") model.matryoshka = read_sizes(reader, entry);
  else if (key == "remote") model.remote = reader.flag(entry);
  else if (key == "shape") model.shape = read_shape(reader, entry);
  else if (key == "licence") model.licence = read_licence(reader, entry);
  else if (key == "price") model.price = read_price(reader, entry);
  else if (key == "file") {
    for (const TomlNode* one : reader.tables(entry, "[[model.file]]")) {
      model.files.push_back(read_file(reader, *one));
    }
  } else if (key == "score") {
    for (const TomlNode* one : reader.tables(entry, "[[model.score]]")) {
      model.scores.push_back(read_score(reader, *one));
    }
  } else if (key == "quantisations") {
    // Known to exist, of no known size: [[model.file]] says more.
    for (const std::string& name : reader.texts(entry)) {
      model.files.push_back({.quantisation = reader.quantisation(entry, name)});
    }
  } else {
    read_text_entry(reader, entry, model);
  }
}

// What must hold between the parts; sizes that no source tells are estimated.
void settle(EntryReader& reader, const TomlNode& node, CatalogueModel& model) {
  reader.need(!model.name.empty(), node, "name");
  reader.need(!model.roles.empty(), node, "roles");
  reader.need_source(model.source, node);
  if (model.title.empty()) model.title = model.name;
  if (model.active_parameters == 0) model.active_parameters = model.parameters;
  if (model.active_parameters > model.parameters) {
    reader.refuse(node, "active_parameters is larger than parameters");
  }
  if (model.remote && !model.files.empty()) {
    reader.refuse(node, "a remote model has no files", "remove remote = true, or the files");
  }
  std::stable_sort(model.files.begin(), model.files.end(),
                   [](const ModelFile& a, const ModelFile& b) {
                     return bits_per_weight(a.quantisation) < bits_per_weight(b.quantisation);
                   });
  for (size_t i = 0; i < model.files.size(); ++i) {
    ModelFile& file = model.files[i];
    if (i > 0 && file.quantisation == model.files[i - 1].quantisation) {
      reader.refuse(node, fmt::format("{} is listed twice", file.quantisation));
    }
    const double expected =
        static_cast<double>(model.parameters) * bits_per_weight(file.quantisation) / 8;
    if (file.bytes == 0) {
      reader.need(model.parameters > 0, node, "parameters");
      file.bytes = static_cast<uint64_t>(expected);
      file.estimated = true;
    } else if (model.parameters > 0 && (static_cast<double>(file.bytes) < expected * 0.5 ||
                                        static_cast<double>(file.bytes) > expected * 2)) {
      reader.refuse(node,
                    fmt::format("{} bytes contradict {} parameters at {}", file.bytes,
                                model.parameters, file.quantisation),
                    "one of the three is wrong");
    }
  }
}

// Sources first: entries refer to them wherever they stand.
Sources read_sources(const TomlNode& root, const std::string& file, std::vector<Error>& problems) {
  Sources sources;
  static const Sources kNone;
  for (const TomlNode& group : root.children) {
    if (group.key != "source") continue;
    for (const TomlNode& node : group.children) {
      EntryReader reader(file, kNone);
      Source source;
      if (reader.table(node)) {
        for (const TomlNode& entry : node.children) {
          if (entry.key == "text") source.text = reader.text(entry);
          else if (entry.key == "date") source.date = reader.text(entry);
          else reader.unknown(entry, {"text", "date"});
        }
        reader.need(!source.text.empty(), node, "text");
        reader.need(!source.date.empty(), node, "date");
      }
      if (reader.fault()) problems.push_back(*reader.fault());
      else sources[node.key] = std::move(source);
    }
  }
  return sources;
}

}  // namespace

std::vector<CatalogueModel> read_catalogue_file(const CatalogueFile& file,
                                                std::vector<Error>& problems) {
  std::vector<CatalogueModel> models;
  auto root = service::parse_toml_tree(file.text, file.name);
  if (!root) {
    problems.push_back(root.error());
    return models;
  }
  const Sources sources = read_sources(*root, file.name, problems);
  std::string family;
  for (const TomlNode& node : root->children) {
    EntryReader reader(file.name, sources);
    if (node.key == "family") {
      family = reader.text(node);
    } else if (node.key == "model") {
      for (const TomlNode* one : reader.tables(node, "[[model]]")) {
        EntryReader entry_reader(file.name, sources);
        CatalogueModel model;
        for (const TomlNode& entry : one->children) read_entry(entry_reader, entry, model);
        settle(entry_reader, *one, model);
        model.where = entry_reader.place(*one);
        model.bundled = file.bundled;
        if (entry_reader.fault()) problems.push_back(*entry_reader.fault());
        else models.push_back(std::move(model));
      }
    } else if (node.key != "source") {
      reader.unknown(node, {"family", "source", "model"});
    }
    if (reader.fault()) problems.push_back(*reader.fault());
  }
  for (CatalogueModel& model : models) model.family = family.empty() ? model.name : family;
  return models;
}

}  // namespace tinyarms::advice
