// Units of measure as data, and exact conversion between them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "questions/rational.h"
#include "rules/yaml_document.h"

namespace tinyarms::questions {

// base = value × factor × π^pi + offset, in the dimension's base unit.
struct Unit {
  std::string dimension;
  std::string name;
  std::string plural;
  std::vector<std::string> names;    // every spelling in letters; case does not matter
  std::vector<std::string> symbols;  // case matters, unless only one unit could be meant
  Rational factor = 1;
  Rational offset = 0;
  int pi = 0;
};

struct Conversion {
  std::string value;     // "5 kilometres"
  std::string relation;  // "=" or "≈"
  std::string result;    // "3.10685596119 miles"
};

struct ConversionQuestion {
  std::string_view value;  // empty, "a", "one": 1
  std::string_view from;
  std::string_view to;
};

class UnitTable {
 public:
  // Adds a document {id, units: [{name, plural, also, symbols, factor, offset, pi}],
  // ambiguous: [text]}; its id is the dimension, an ambiguous text is never a unit.
  // Errors: Config, with the position; nothing of the document is added then.
  Result<void> add(std::string_view file, const rules::YamlNode& document);

  // Nothing for unknown or ambiguous units, for two dimensions, and below absolute zero.
  std::optional<Conversion> convert(const ConversionQuestion& question) const;

 private:
  const Unit* find(std::string_view text) const;

  std::vector<Unit> units_;
  std::vector<std::string> ambiguous_;
};

}  // namespace tinyarms::questions
