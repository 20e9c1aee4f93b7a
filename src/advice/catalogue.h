// Which models there are to choose from, as data: the files of catalog/ that ship in the binary,
// and the user's own over them. Says what was published and by whom; nothing here was measured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"

namespace tinyarms::advice {

enum class Role { Embedding, Reranker, Code, General, Maths, Tools, Multilingual };
std::string_view role_name(Role role);
std::optional<Role> parse_role(std::string_view name);
std::vector<std::string> role_names();

// Where a figure comes from, and when that was read.
struct Source {
  std::string text{};
  std::string date{};  // YYYY-MM-DD
};

// What the memory plan needs. Absent where no source tells it.
struct ModelShape {
  std::string architecture{};
  uint32_t layers = 0;
  uint32_t width = 0;
  uint32_t feed_forward = 0;
  uint32_t heads = 0;
  uint32_t kv_heads = 0;
  uint32_t head_width = 0;
  uint32_t vocabulary = 0;
  Source source{};
};

enum class Commercial { Unknown, Yes, No };

struct ModelLicence {
  std::string name{};
  Commercial commercial = Commercial::Unknown;
  Source source{};
};

struct ModelFile {
  std::string quantisation{};  // as in is_quantisation
  std::string repository{};    // empty where no source names one
  std::string name{};
  uint64_t bytes = 0;
  bool estimated = false;  // from parameters and bits a weight; else `source` says it
  std::string sha256{};
  Source source{};
};

struct Score {
  std::string benchmark{};
  double value = 0;
  bool approximate = false;  // the source says "about"
  Source source{};
};

struct Price {  // US dollars a million tokens
  double input = 0;
  double output = 0;
  Source source{};
};

struct CatalogueModel {
  std::string name{};
  std::string family{};
  std::string title{};
  std::string where{};   // "catalog/qwen2.5-coder.toml:12"
  bool bundled = true;   // false: the user's own file says so
  std::vector<Role> roles{};  // the first is what it is for
  uint64_t parameters = 0;         // 0: not published
  uint64_t active_parameters = 0;  // of a mixture of experts, a token; else as `parameters`
  uint32_t context_tokens = 0;     // 0: not published
  uint32_t dimensions = 0;         // of an embedding
  std::vector<uint32_t> matryoshka{};
  std::vector<std::string> languages{};  // "*": more than can be listed
  std::string vocabulary_family{};       // who has the same can check each other's drafts
  std::string chat_template{};
  std::string tool_format{};
  std::string repository{};  // of files that name none of their own
  bool remote = false;
  Source source{};
  std::optional<ModelShape> shape{};
  ModelLicence licence{};
  std::vector<ModelFile> files{};
  std::vector<Score> scores{};
  std::optional<Price> price{};

  bool has_role(Role role) const;
  bool speaks(const std::vector<std::string>& asked) const;  // all of them
  const Score* score(std::string_view benchmark) const;
  const ModelFile* file(std::string_view quantisation) const;  // in any case
};

struct Catalogue {
  std::vector<CatalogueModel> models{};  // by name
  std::vector<Error> problems{};         // entries and files that were left out, and why

  // Errors: NotFound, with the nearest name.
  Result<const CatalogueModel*> find(std::string_view name) const;
};

std::vector<EmbeddedFile> bundled_catalogue();  // generated from catalog/*.toml

// "Q4_K_M", "F16", …, in any case: the spelling of the catalogue, or nothing.
std::optional<std::string> is_quantisation(std::string_view name);
std::vector<std::string> quantisation_names();
// Of a model's every weight: what llama.cpp's quantize reports for Llama-3.1-8B, else the layout
// of the type's blocks.
double bits_per_weight(std::string_view quantisation);

struct CatalogueFile {
  std::string name{};  // in errors and `where`
  std::string text{};
  bool bundled = true;
};

// An entry that breaks a rule is left out with an error (Config; its file:line:column) and the
// others stay. Of two entries of one name in bundled files, or in the user's, the first stays; a
// user's entry takes the place of a bundled one.
Catalogue read_catalogue(const std::vector<CatalogueFile>& files);

// The bundled files and every *.toml of `user_folder`, which need not exist.
Catalogue load_catalogue(const std::filesystem::path& user_folder);

}  // namespace tinyarms::advice
