#include "advice/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "advice/catalogue_reader.h"
#include "base/file.h"
#include "base/nearest.h"

namespace tinyarms::advice {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileBytesMax = 1 << 20;

struct NamedRole {
  Role role;
  std::string_view name;
};
constexpr std::array kRoles = {
    NamedRole{Role::Embedding, "embedding"}, NamedRole{Role::Reranker, "reranker"},
    NamedRole{Role::Code, "code"},           NamedRole{Role::General, "general"},
    NamedRole{Role::Maths, "maths"},         NamedRole{Role::Tools, "tools"},
    NamedRole{Role::Multilingual, "multilingual"}};

struct Bits {
  std::string_view name;
  double bits;
};
// llama.cpp, tools/quantize/README.md at 311c2c9 (Llama-3.1-8B): K types, IQ types, Q8_0, F16.
// Q4_0, Q4_1, Q5_0, Q5_1, F32, BF16: bytes of a block over its weights.
constexpr std::array kBits = {
    Bits{"F32", 32},        Bits{"F16", 16.0005},   Bits{"BF16", 16},       Bits{"Q8_0", 8.5008},
    Bits{"Q6_K", 6.5633},   Bits{"Q5_K_M", 5.7036}, Bits{"Q5_K_S", 5.5704}, Bits{"Q5_1", 6},
    Bits{"Q5_0", 5.5},      Bits{"Q4_K_M", 4.8944}, Bits{"Q4_K_S", 4.6672}, Bits{"Q4_1", 5},
    Bits{"Q4_0", 4.5},      Bits{"IQ4_NL", 4.6818}, Bits{"IQ4_XS", 4.4597}, Bits{"Q3_K_L", 4.2979},
    Bits{"Q3_K_M", 3.9960}, Bits{"Q3_K_S", 3.6429}, Bits{"Q2_K", 3.1593},   Bits{"Q2_K_S", 2.9697}};

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// What comes later replaces a bundled entry; two of one layer are a mistake.
void add_model(CatalogueModel model, Catalogue& catalogue) {
  const auto same = std::find_if(catalogue.models.begin(), catalogue.models.end(),
                                 [&](const CatalogueModel& known) {
                                   return known.name == model.name;
                                 });
  if (same == catalogue.models.end()) {
    catalogue.models.push_back(std::move(model));
  } else if (same->bundled && !model.bundled) {
    *same = std::move(model);
  } else {
    catalogue.problems.push_back(
        Error{ErrorCode::Config,
              fmt::format("a second entry is called \"{}\"; the first is at {}", model.name,
                          same->where),
              model.where, "rename or remove one of the two; the first counts"});
  }
}

}  // namespace

std::string_view role_name(Role role) {
  for (const NamedRole& known : kRoles) {
    if (known.role == role) return known.name;
  }
  return "";
}

std::optional<Role> parse_role(std::string_view name) {
  for (const NamedRole& known : kRoles) {
    if (known.name == name) return known.role;
  }
  return std::nullopt;
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (const NamedRole& known : kRoles) names.emplace_back(known.name);
  return names;
}

std::vector<std::string> quantisation_names() {
  std::vector<std::string> names;
  for (const Bits& known : kBits) names.emplace_back(known.name);
  return names;
}

std::optional<std::string> is_quantisation(std::string_view name) {
  for (const Bits& known : kBits) {
    if (same_word(known.name, name)) return std::string(known.name);
  }
  return std::nullopt;
}

double bits_per_weight(std::string_view quantisation) {
  for (const Bits& known : kBits) {
    if (same_word(known.name, quantisation)) return known.bits;
  }
  return 0;
}

bool CatalogueModel::has_role(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool CatalogueModel::speaks(const std::vector<std::string>& asked) const {
  const auto knows = [&](const std::string& language) {
    return std::find(languages.begin(), languages.end(), language) != languages.end();
  };
  return knows("*") || std::all_of(asked.begin(), asked.end(), knows);
}

const Score* CatalogueModel::score(std::string_view benchmark) const {
  for (const Score& known : scores) {
    if (same_word(known.benchmark, benchmark)) return &known;
  }
  return nullptr;
}

const ModelFile* CatalogueModel::file(std::string_view quantisation) const {
  for (const ModelFile& known : files) {
    if (same_word(known.quantisation, quantisation)) return &known;
  }
  return nullptr;
}

Result<const CatalogueModel*> Catalogue::find(std::string_view name) const {
  std::vector<std::string> known;
  for (const CatalogueModel& model : models) {
    if (model.name == name) return &model;
    known.push_back(model.name);
  }
  const auto near = nearest(name, known);
  return Error{ErrorCode::NotFound, fmt::format("the catalogue has no model \"{}\"", name), "",
               near ? fmt::format("did you mean \"{}\"?", *near)
                    : "tinyarms models catalog lists what there is"};
}

Catalogue read_catalogue(const std::vector<CatalogueFile>& files) {
  Catalogue catalogue;
  for (const CatalogueFile& file : files) {
    for (CatalogueModel& model : read_catalogue_file(file, catalogue.problems)) {
      add_model(std::move(model), catalogue);
    }
  }
  std::sort(catalogue.models.begin(), catalogue.models.end(),
            [](const CatalogueModel& a, const CatalogueModel& b) { return a.name < b.name; });
  return catalogue;
}

Catalogue load_catalogue(const fs::path& user_folder) {
  std::vector<CatalogueFile> files;
  for (const EmbeddedFile& file : bundled_catalogue()) {
    files.push_back({"catalog/" + std::string(file.name), std::string(file.bytes), true});
  }
  std::vector<fs::path> own;
  std::error_code problem;
  for (fs::directory_iterator at(user_folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (at->path().extension() == ".toml") own.push_back(at->path());
  }
  std::sort(own.begin(), own.end());
  std::vector<Error> unreadable;
  for (const fs::path& path : own) {
    std::error_code kind;
    // A pipe would make us wait for ever.
    if (!fs::is_regular_file(path, kind)) {
      unreadable.push_back(Error{ErrorCode::Config, "is not a file", path.string(),
                                 "a catalogue is a text file"});
      continue;
    }
    auto text = read_file(path, kFileBytesMax);
    if (text) {
      files.push_back({path.string(), std::move(*text), false});
    } else {
      unreadable.push_back(text.error());
    }
  }
  Catalogue catalogue = read_catalogue(files);
  catalogue.problems.insert(catalogue.problems.end(), unreadable.begin(), unreadable.end());
  return catalogue;
}

}  // namespace tinyarms::advice
