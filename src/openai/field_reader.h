// Reads the fields of one JSON object by name and type. Unknown fields are never looked at; `null`
// counts as absent, as OpenAI's clients send it. The first thing wrong is kept and the rest reads
// as absent, so that a parser asks once, at its end.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::openai {

using Json = nlohmann::json;

// A body as JSON. Errors: InvalidArgument (not JSON, not UTF-8, nested deeper than 100).
Result<Json> parse_body(std::string_view body);

class FieldReader {
 public:
  // `path` of the object in the request, "" for the request itself; both outlive the reader.
  FieldReader(const Json& object, std::string path);

  const Json* find(std::string_view name) const;  // null where absent or JSON's null
  std::string path_of(std::string_view name) const;

  std::optional<std::string> text(std::string_view name);
  std::optional<bool> flag(std::string_view name);
  std::optional<double> number(std::string_view name, double minimum, double maximum);
  std::optional<int64_t> integer(std::string_view name, int64_t minimum, int64_t maximum);
  // A text or a list of texts.
  std::vector<std::string> texts(std::string_view name, size_t count_max);
  const Json* object(std::string_view name);
  const Json* list(std::string_view name);

  void fail(std::string what, std::string where, ErrorCode code = ErrorCode::InvalidArgument);
  void adopt(const Error& error);  // of a part that was read elsewhere
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json* typed(std::string_view name, bool (Json::*is)() const noexcept,
                    std::string_view what);

  const Json& object_;
  std::string path_;
  std::optional<Error> error_;
};

}  // namespace tinyarms::openai
