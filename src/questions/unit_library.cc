#include "questions/unit_library.h"

namespace tinyarms::questions {

void UnitLibrary::add(std::string file, std::string yaml) {
  sources_.emplace_back(std::move(file), std::move(yaml));
}

void UnitLibrary::read() const {
  for (const auto& [file, yaml] : sources_) {
    const rules::YamlFile read = rules::read_yaml(file, yaml);
    for (const rules::YamlNode& document : read.documents) {
      if (document.find("units") == nullptr) continue;
      Result<void> added = table_.add(file, document);
      if (!added) problems_.push_back(added.error());
    }
    // Errors of the YAML itself are told of by the pack, which reads the same file.
  }
}

const UnitTable& UnitLibrary::table() const {
  std::call_once(once_, [this] { read(); });
  return table_;
}

const std::vector<Error>& UnitLibrary::problems() const {
  std::call_once(once_, [this] { read(); });
  return problems_;
}

}  // namespace tinyarms::questions
