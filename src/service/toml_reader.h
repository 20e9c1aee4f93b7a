// Values of a TOML tree by the types that they must have. Keeps the first fault, as an error of
// code Config whose `where` is file:line:column; what follows a fault is of no interest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "service/config_file.h"

namespace tinyarms::service {

class TomlReader {
 public:
  explicit TomlReader(std::string file) : file_(std::move(file)) {}

  const std::optional<Error>& fault() const { return fault_; }
  std::string place(const TomlNode& node) const;  // "file:line:column"

  void refuse(const TomlNode& node, std::string what, std::string hint = "");
  void unknown(const TomlNode& node, const std::vector<std::string>& known);

  // What is not of the type is refused, and something of it returned.
  double number(const TomlNode& node, double low, double high);  // finite, in [low, high]
  bool flag(const TomlNode& node);
  std::string text(const TomlNode& node);  // not empty
  std::vector<std::string> texts(const TomlNode& node);
  bool table(const TomlNode& node);  // false where it is none

 private:
  std::string file_;
  std::optional<Error> fault_;
};

}  // namespace tinyarms::service
