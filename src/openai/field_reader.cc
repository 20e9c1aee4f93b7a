#include "openai/field_reader.h"

#include <fmt/format.h>

#include <cmath>

#include "base/bracket_depth.h"

namespace tinyarms::openai {
namespace {

constexpr int kDepthMax = 100;

}  // namespace

Result<Json> parse_body(std::string_view body) {
  if (bracket_depth(body) > kDepthMax) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the body nests deeper than {} levels", kDepthMax), "", ""};
  }
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) {
    return Error{ErrorCode::InvalidArgument, "We could not parse the JSON body of your request",
                 "", "the body must be one JSON object in UTF-8"};
  }
  if (!json.is_object()) {
    return Error{ErrorCode::InvalidArgument, "the body must be a JSON object", "", ""};
  }
  return json;
}

FieldReader::FieldReader(const Json& object, std::string path)
    : object_(object), path_(std::move(path)) {
  if (!object.is_object()) fail("must be an object", path_);
}

const Json* FieldReader::find(std::string_view name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string FieldReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void FieldReader::fail(std::string what, std::string where, ErrorCode code) {
  if (error_) return;
  error_ = Error{code, fmt::format("Invalid '{}': {}", where, what), where, ""};
}

void FieldReader::adopt(const Error& error) {
  if (!error_) error_ = error;
}

const Json* FieldReader::typed(std::string_view name, bool (Json::*is)() const noexcept,
                               std::string_view what) {
  const Json* found = find(name);
  if (found == nullptr || (found->*is)()) return found;
  fail(fmt::format("expected {}, but got {}", what, found->type_name()), path_of(name));
  return nullptr;
}

std::optional<std::string> FieldReader::text(std::string_view name) {
  const Json* found = typed(name, &Json::is_string, "a string");
  if (found == nullptr) return std::nullopt;
  return found->get<std::string>();
}

std::optional<bool> FieldReader::flag(std::string_view name) {
  const Json* found = typed(name, &Json::is_boolean, "a boolean");
  if (found == nullptr) return std::nullopt;
  return found->get<bool>();
}

std::optional<double> FieldReader::number(std::string_view name, double minimum, double maximum) {
  const Json* found = typed(name, &Json::is_number, "a number");
  if (found == nullptr) return std::nullopt;
  const double value = found->get<double>();
  if (std::isfinite(value) && value >= minimum && value <= maximum) return value;
  fail(fmt::format("must be from {} to {}", minimum, maximum), path_of(name));
  return std::nullopt;
}

std::optional<int64_t> FieldReader::integer(std::string_view name, int64_t minimum,
                                            int64_t maximum) {
  const Json* found = typed(name, &Json::is_number, "an integer");
  if (found == nullptr) return std::nullopt;
  const double value = found->get<double>();
  if (value == std::floor(value) && value >= static_cast<double>(minimum) &&
      value <= static_cast<double>(maximum)) {
    return found->is_number_integer() ? found->get<int64_t>() : static_cast<int64_t>(value);
  }
  fail(fmt::format("must be an integer from {} to {}", minimum, maximum), path_of(name));
  return std::nullopt;
}

std::vector<std::string> FieldReader::texts(std::string_view name, size_t count_max) {
  const Json* found = find(name);
  if (found == nullptr) return {};
  if (found->is_string()) return {found->get<std::string>()};
  std::vector<std::string> texts;
  if (!found->is_array() || found->size() > count_max) {
    fail(fmt::format("must be a string or a list of at most {} strings", count_max),
         path_of(name));
    return {};
  }
  for (const Json& one : *found) {
    if (!one.is_string()) {
      fail("every entry must be a string", path_of(name));
      return {};
    }
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

const Json* FieldReader::object(std::string_view name) {
  return typed(name, &Json::is_object, "an object");
}

const Json* FieldReader::list(std::string_view name) {
  return typed(name, &Json::is_array, "an array");
}

}  // namespace tinyarms::openai
