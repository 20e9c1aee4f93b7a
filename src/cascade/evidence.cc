#include "cascade/evidence.h"

namespace tinyarms::cascade {
namespace {

template <typename T>
std::optional<T> as(const EvidenceValue* value) {
  const T* held = value != nullptr ? std::get_if<T>(value) : nullptr;
  return held != nullptr ? std::optional<T>(*held) : std::nullopt;
}

}  // namespace

void Evidence::set(std::string_view name, EvidenceValue value) {
  for (auto& [known, held] : items_) {
    if (known == name) {
      held = std::move(value);
      return;
    }
  }
  items_.emplace_back(std::string(name), std::move(value));
}

const EvidenceValue* Evidence::find(std::string_view name) const {
  for (const auto& [known, held] : items_) {
    if (known == name) return &held;
  }
  return nullptr;
}

std::optional<double> Evidence::number(std::string_view name) const {
  return as<double>(find(name));
}
std::optional<bool> Evidence::flag(std::string_view name) const { return as<bool>(find(name)); }
std::optional<std::string> Evidence::text(std::string_view name) const {
  return as<std::string>(find(name));
}

}  // namespace tinyarms::cascade
