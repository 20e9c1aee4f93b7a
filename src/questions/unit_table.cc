#include "questions/unit_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "base/ascii.h"

namespace tinyarms::questions {
namespace {

Error wrong_unit(std::string_view file, const rules::YamlNode& node, std::string what) {
  return Error{ErrorCode::Config, std::move(what), rules::yaml_position(file, node),
               "see docs/rules.md for what a unit may say"};
}

Result<Unit> read_unit(std::string_view file, const rules::YamlNode& node) {
  Unit unit;
  for (const auto& [key, value] : node.entries) {
    const std::string& text = value.scalar;
    if (key.scalar == "name") {
      unit.name = text;
    } else if (key.scalar == "plural") {
      unit.plural = text;
    } else if (key.scalar == "also") {
      for (const rules::YamlNode& item : value.items) unit.names.push_back(lowered(item.scalar));
    } else if (key.scalar == "symbols") {
      for (const rules::YamlNode& item : value.items) unit.symbols.push_back(item.scalar);
    } else if (key.scalar == "factor" || key.scalar == "offset") {
      const std::optional<Rational> number = Rational::parse(text);
      if (!number) return wrong_unit(file, value, fmt::format("'{}' is not a number", text));
      (key.scalar == "factor" ? unit.factor : unit.offset) = *number;
    } else if (key.scalar == "pi" && (text == "1" || text == "-1")) {
      unit.pi = text == "1" ? 1 : -1;
    } else {
      return wrong_unit(file, key, fmt::format("unknown key '{}' in a unit", key.scalar));
    }
  }
  if (unit.name.empty()) return wrong_unit(file, node, "a unit without a name");
  if (unit.factor.is_zero()) return wrong_unit(file, node, "a unit with the factor 0");
  if (unit.plural.empty()) unit.plural = unit.name + "s";
  unit.names.push_back(lowered(unit.name));
  unit.names.push_back(lowered(unit.plural));
  return unit;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// "KM" and "km" say the same, "Mm" and "mm" do not.
bool is_one_case(std::string_view text) {
  const bool upper = std::none_of(text.begin(), text.end(),
                                  [](char c) { return c >= 'a' && c <= 'z'; });
  return upper || lowered(text) == text;
}

std::string with_unit(const std::string& number, const Unit& unit) {
  return number + " " + (number == "1" ? unit.name : unit.plural);
}

}  // namespace

Result<void> UnitTable::add(std::string_view file, const rules::YamlNode& document) {
  const rules::YamlNode* id = document.find("id");
  const rules::YamlNode* list = document.find("units");
  if (id == nullptr || id->scalar.empty()) return wrong_unit(file, document, "units without an id");
  for (const auto& [key, value] : document.entries) {
    if (key.scalar == "id" || key.scalar == "units" || key.scalar == "ambiguous") continue;
    return wrong_unit(file, key, fmt::format("unknown key '{}' beside units", key.scalar));
  }
  std::vector<Unit> units;
  for (const rules::YamlNode& node : list->items) {
    Result<Unit> unit = read_unit(file, node);
    if (!unit) return unit.error().wrap(id->scalar);
    unit->dimension = id->scalar;
    units.push_back(std::move(*unit));
  }
  if (const rules::YamlNode* ambiguous = document.find("ambiguous")) {
    for (const rules::YamlNode& text : ambiguous->items) ambiguous_.push_back(text.scalar);
  }
  units_.insert(units_.end(), std::make_move_iterator(units.begin()),
                std::make_move_iterator(units.end()));
  return {};
}

const Unit* UnitTable::find(std::string_view text) const {
  if (contains(ambiguous_, text)) return nullptr;
  const auto only = [this](const auto& matches) {
    const Unit* found = nullptr;
    for (const Unit& unit : units_) {
      if (!matches(unit)) continue;
      if (found != nullptr) return static_cast<const Unit*>(nullptr);
      found = &unit;
    }
    return found;
  };
  if (const Unit* unit = only([&](const Unit& u) { return contains(u.symbols, text); })) {
    return unit;
  }
  const std::string low = lowered(text);
  if (const Unit* unit = only([&](const Unit& u) { return contains(u.names, low); })) return unit;
  if (!is_one_case(text)) return nullptr;
  return only([&](const Unit& unit) {
    return std::any_of(unit.symbols.begin(), unit.symbols.end(),
                       [&](const std::string& symbol) { return lowered(symbol) == low; });
  });
}

std::optional<Conversion> UnitTable::convert(const ConversionQuestion& question) const {
  const Unit* from = find(question.from);
  const Unit* to = find(question.to);
  if (from == nullptr || to == nullptr || from == to) return std::nullopt;
  if (from->dimension != to->dimension) return std::nullopt;

  const std::string word = lowered(question.value);
  const bool one = word.empty() || word == "a" || word == "an" || word == "one";
  const std::optional<Rational> value = one ? Rational(1) : Rational::parse(word);
  if (!value || word.find('/') != std::string::npos) return std::nullopt;

  const auto scaled = multiply(*value, from->factor);
  const auto base = scaled ? questions::add(*scaled, from->offset) : std::nullopt;
  if (!base) return std::nullopt;
  const bool temperature = !from->offset.is_zero() || !to->offset.is_zero();
  if (base->is_negative() && (temperature || from->dimension == "units-temperature")) {
    return std::nullopt;
  }
  const auto shifted = subtract(*base, to->offset);
  const auto result = shifted ? divide(*shifted, to->factor) : std::nullopt;
  if (!result) return std::nullopt;

  FormattedNumber number = format_number(*result);
  if (from->pi != to->pi && !result->is_zero()) {
    const long double pi = std::numbers::pi_v<long double>;
    long double approximate = result->approximate();
    for (int i = from->pi; i > to->pi; --i) approximate *= pi;
    for (int i = from->pi; i < to->pi; ++i) approximate /= pi;
    number = {format_approximation(approximate), false};
  }
  Conversion conversion;
  conversion.value = with_unit(format_number(*value).text, *from);
  conversion.relation = number.exact ? "=" : "≈";
  conversion.result = with_unit(number.text, *to);
  return conversion;
}

}  // namespace tinyarms::questions
