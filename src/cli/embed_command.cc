// tinyarms embed: one vector a line of standard input.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "cli/text_input.h"
#include "encoder/model_manners.h"
#include "service/assistant.h"
#include "service/counted_models.h"
#include "service/model_pool.h"

namespace tinyarms::cli {
namespace {

// Lines embedded at a time: enough to pack well, few enough to show how far it is.
constexpr size_t kBatchLines = 512;

struct EmbedOptions {
  std::string model;
  bool json = false;
  std::string format = "text";
  std::string purpose = "plain";
  size_t dimensions = 0;  // 0: the model's
};

Result<std::vector<std::string>> read_lines(std::istream& input) {
  std::vector<std::string> lines;
  std::string line;
  size_t bytes = 0;
  while (std::getline(input, line)) {
    bytes += line.size();
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string place = fmt::format("line {}", lines.size() + 1);
    auto text = check_text(std::move(line), place, kQuestionBytesMax);
    if (!text) return text.error();
    lines.push_back(std::move(*text));
    if (bytes > kFileBytesMax * 16) {
      return Error{ErrorCode::InvalidArgument, "is larger than 64 MiB", "standard input",
                   "embed it in parts"};
    }
  }
  if (lines.empty()) {
    return Error{ErrorCode::InvalidArgument, "is empty", "standard input",
                 "give one text a line, e.g. echo \"a text\" | tinyarms embed"};
  }
  return lines;
}

using Vectors = std::vector<std::vector<float>>;

std::string bytes_of(const Vectors& vectors) {
  std::string bytes;
  for (const auto& vector : vectors) {
    bytes.append(reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float));
  }
  return bytes;
}

// NumPy's file format 1.0: a header padded to 64 bytes, then the values.
std::string npy_header(size_t rows, size_t columns) {
  std::string fields = fmt::format(
      "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  constexpr size_t kPrefix = 10;
  fields.append(63 - (kPrefix + fields.size()) % 64, ' ');
  fields.push_back('\n');
  std::string header = "\x93NUMPY\x01";
  header.push_back('\0');
  header.push_back(static_cast<char>(fields.size() & 0xff));
  header.push_back(static_cast<char>(fields.size() >> 8));
  return header + fields;
}

std::string render(const Vectors& vectors, const std::string& format, const std::string& model) {
  if (format == "f32") return bytes_of(vectors);
  if (format == "npy") return npy_header(vectors.size(), vectors[0].size()) + bytes_of(vectors);
  if (format == "json") {
    const nlohmann::ordered_json json = {{"model", model},
                                         {"dimensions", vectors[0].size()},
                                         {"embeddings", vectors}};
    return json.dump() + "\n";
  }
  std::string text;
  for (const auto& vector : vectors) text += fmt::format("{}\n", fmt::join(vector, " "));
  return text;
}

void note_sizes(const engine::ModelFacts& facts, size_t dimensions, const Terminal& terminal) {
  const std::vector<size_t> trained = encoder::trained_sizes(facts);
  if (dimensions == 0 || std::find(trained.begin(), trained.end(), dimensions) != trained.end()) {
    return;
  }
  terminal.note(fmt::format("warning: {} was trained for {} dimensions; at {} its vectors find "
                            "fewer of the nearest texts",
                            facts.name, fmt::join(trained, ", "), dimensions));
}

void note_length(const engine::Embedding& embedding, size_t line, const engine::ModelFacts& facts,
                 const Terminal& terminal) {
  if (embedding.parts < 2) return;
  terminal.note(fmt::format("note: line {} is longer than the model's window of {} tokens; its "
                            "vector is the mean of {} parts{}",
                            line, facts.context_tokens, embedding.parts,
                            embedding.truncated ? ", and what came after them was left out" : ""));
}

Result<Vectors> embed_lines(const std::vector<std::string>& lines, const EmbedOptions& options,
                            engine::Embedder& embedder, const Terminal& terminal) {
  const auto purpose = options.purpose == "query"      ? encoder::Purpose::Query
                       : options.purpose == "document" ? encoder::Purpose::Document
                                                       : encoder::Purpose::Plain;
  const std::string prompt = encoder::prompt_for(embedder.facts(), purpose);
  Vectors vectors;
  std::vector<std::string> batch;
  for (size_t begin = 0; begin < lines.size(); begin += kBatchLines) {
    const size_t end = std::min(lines.size(), begin + kBatchLines);
    batch.clear();
    for (size_t i = begin; i < end; ++i) batch.push_back(prompt + lines[i]);
    auto embeddings = embedder.embed(batch);
    if (!embeddings) return embeddings.error();
    for (engine::Embedding& embedding : *embeddings) {
      note_length(embedding, vectors.size() + 1, embedder.facts(), terminal);
      if (options.dimensions != 0) {
        if (auto cut = encoder::shorten(embedding.values, options.dimensions); !cut) {
          return cut.error();
        }
      }
      vectors.push_back(std::move(embedding.values));
    }
    if (end < lines.size()) terminal.status(fmt::format("{} of {} lines", end, lines.size()));
  }
  terminal.status("");
  return vectors;
}

void run_embed(const EmbedOptions& options, Context& context) {
  const std::string format = options.json ? "json" : options.format;
  const bool json = format == "json";
  auto loaded = context.load_settings(json);
  if (!loaded) return;
  auto lines = read_lines(context.input);
  if (!lines) return context.fail(lines.error(), json);
  const std::string name = options.model.empty() ? loaded->settings.l1.model : options.model;
  auto model = catalog::ModelStore(context.paths.models_dir).find(name);
  if (!model) return context.fail(model.error(), json);
  service::ModelPool models(loaded->settings, context.paths, context.clock,
                            service::physical_memory());
  auto embedder = service::load_counted_encoder(model->path, loaded->settings.threads,
                                                {.shelf = &models.shelf(), .use = "embeddings"});
  if (!embedder) return context.fail(embedder.error(), json);
  const Terminal terminal = context.terminal(loaded->settings);
  note_sizes((*embedder)->facts(), options.dimensions, terminal);
  auto vectors = embed_lines(*lines, options, **embedder, terminal);
  if (!vectors) return context.fail(vectors.error(), json);
  terminal.out(render(*vectors, format, model->name));
}

}  // namespace

void add_embed(CLI::App& app, Context& context) {
  auto options = std::make_shared<EmbedOptions>();
  CLI::App* embed = app.add_subcommand("embed", "Unit vectors of the lines on standard input");
  embed->add_option("--model", options->model, "An encoder (default: l1.model)")
      ->type_name("NAME");
  embed->add_option("--dimensions", options->dimensions,
                    "Only the first N values, at length 1 again (default: all)")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, size_t{1} << 16));
  embed->add_option("--format", options->format,
                    "text: a line a vector; json; npy: NumPy's file; f32: bare little-endian")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json", "npy", "f32"}));
  embed->add_option("--as", options->purpose,
                    "What the lines are, for models trained with a prompt: query, document")
      ->type_name("PURPOSE")
      ->check(CLI::IsMember({"plain", "query", "document"}));
  embed->add_flag("--json", options->json,
                  "As --format json: {model, dimensions, embeddings: [[…]]}");
  add_setting(*embed, context, "--threads", "threads", "Processor threads (0: all)");
  embed->footer("Examples:\n  printf 'a text\\nanother\\n' | tinyarms embed --json\n"
                "  tinyarms embed --format npy < lines.txt > vectors.npy\n"
                "  tinyarms embed --model embeddinggemma-300m --as query --dimensions 256");
  embed->callback([options, &context] { run_embed(*options, context); });
}

}  // namespace tinyarms::cli
