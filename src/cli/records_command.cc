// tinyarms records: published result files as records.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/file.h"
#include "calibration/importers.h"
#include "cli/context.h"
#include "cli/record_input.h"

namespace tinyarms::cli {
namespace {

constexpr size_t kFileBytesMax = size_t{1} << 30;

struct ImportOptions {
  std::string form;
  std::vector<std::string> files;
  std::string exclude;
  calibration::ImportCosts costs;
};

Result<std::string> import_all(const ImportOptions& options) {
  std::vector<std::string> texts;
  for (const std::string& file : options.files) {
    auto text = read_file(file, kFileBytesMax);
    if (!text) return text.error();
    texts.push_back(std::move(*text));
  }
  std::string lines;
  const auto write = [&](const calibration::Record& record) -> Result<void> {
    lines += calibration::record_json(record) + "\n";
    return {};
  };
  const bool routellm = options.form == "routellm";
  if (texts.size() != (routellm ? 1 : 2)) {
    return Error{ErrorCode::InvalidArgument, "the number of files does not fit", options.form,
                 "routellm takes one CSV, evalplus the small and the large model's results"};
  }
  if (!routellm) {
    auto count = calibration::import_evalplus({texts[0], texts[1]}, options.costs, write);
    if (!count) return count.error();
    return lines;
  }
  std::unordered_set<std::string> excluded;
  if (!options.exclude.empty()) {
    auto text = read_file(options.exclude, kFileBytesMax);
    if (!text) return text.error();
    auto read = calibration::read_contaminated(*text, options.exclude);
    if (!read) return read.error();
    excluded = std::move(*read);
  }
  auto count =
      calibration::import_routellm(texts[0], options.files[0], excluded, options.costs, write);
  if (!count) return count.error();
  return lines;
}

void run_import(const ImportOptions& options, Context& context) {
  auto lines = import_all(options);
  if (!lines) return fail_records(context, lines.error(), false);
  context.terminal().out(*lines);
}

}  // namespace

void add_records(CLI::App& app, Context& context) {
  CLI::App* records = app.add_subcommand("records", "Outcomes of models, one JSON object a line");
  records->require_subcommand(1);
  auto options = std::make_shared<ImportOptions>();
  CLI::App* import = records->add_subcommand("import", "Published result files, to stdout");
  import->add_option("form", options->form, "routellm (CSV) or evalplus (two JSON files)")
      ->required()
      ->check(CLI::IsMember({"routellm", "evalplus"}));
  import->add_option("files", options->files, "The files; the small model's first")->required();
  import->add_option("--exclude", options->exclude, "Contaminated prompts to leave out (JSONL)")
      ->type_name("FILE");
  import->add_option("--small-cost", options->costs.small, "Of an answer of the small model")
      ->check(CLI::PositiveNumber)
      ->type_name("COST");
  import->add_option("--large-cost", options->costs.large, "Of an answer of the large model")
      ->check(CLI::PositiveNumber)
      ->type_name("COST");
  import->footer("Example:\n  tinyarms records import routellm gsm8k_responses.csv \\\n"
                 "    --exclude contaminated_prompts.jsonl > gsm8k.jsonl");
  import->callback([options, &context] { run_import(*options, context); });
}

}  // namespace tinyarms::cli
