#include "engine/model_check.h"

#include <sys/stat.h>

#include <string_view>

#include "engine/gguf_header.h"
#include "engine/mapped_file.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"
#include "engine/safetensors.h"

namespace tinyarms::engine {
namespace {

// An importance matrix, an adapter, a vocabulary alone: sound files that are no model.
bool claims_to_be_a_model(const GgufHeader& header) {
  const std::string type = header.text("general.type").value_or("model");
  return type == "model" && !header.tensors().empty();
}

void check_gguf(std::string_view bytes, const std::filesystem::path& path, ModelCheck& check) {
  check.format = "gguf";
  auto header = GgufHeader::parse(bytes, path, &check.fault);
  if (!header) {
    check.problem = header.error();
    return;
  }
  check.tensors = header->tensors().size();
  check.pairs = header->pairs();
  check.architecture = header->text("general.architecture").value_or("");
  if (!claims_to_be_a_model(*header)) {
    check.fault.kind = header->tensors().empty() ? "no_weights" : "no_model";
    check.not_loadable =
        Error{ErrorCode::Unsupported,
              header->tensors().empty() ? "holds no weights" : "is a GGUF file, but no model",
              path.string(), "use a file with a model's weights"};
    return;
  }
  auto facts = facts_of(*header, path, bytes.size());
  if (!facts) {
    check.fault.kind = "no_architecture";
    check.fault.name = "general.architecture";
    check.problem = facts.error();
    return;
  }
  auto plausible = check_plausible(*facts, *header, &check.fault);
  if (plausible) return;
  (plausible.error().code == ErrorCode::Unsupported ? check.not_loadable : check.problem) =
      plausible.error();
}

// The table of a safetensors file is a JSON object after its length.
bool looks_like_safetensors(std::string_view bytes, const std::filesystem::path& path) {
  return path.extension() == ".safetensors" || (bytes.size() > 9 && bytes.substr(8, 2) == "{\"");
}

}  // namespace

ModelCheck check_model_file(const std::filesystem::path& path) {
  ModelCheck check;
  auto file = MappedFile::open(path);
  if (!file) {
    struct stat facts {};
    const bool odd = ::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode);
    check.fault.kind = odd ? "not_a_file" : "not_readable";
    check.problem = file.error();
    return check;
  }
  check.bytes = file->bytes().size();
  if (!file->bytes().starts_with("GGUF") && looks_like_safetensors(file->bytes(), path)) {
    check.format = "safetensors";
    auto opened = Safetensors::open(path, &check.fault);
    if (opened) {
      check.tensors = opened->tensors().size();
    } else {
      check.problem = opened.error();
    }
    return check;
  }
  check_gguf(file->bytes(), path, check);
  if (check.fault.kind == "magic" || check.fault.kind == "empty_file") check.format.clear();
  return check;
}

}  // namespace tinyarms::engine
