// The units of all packs, read when the first conversion asks for them.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "questions/unit_table.h"

namespace tinyarms::questions {

class UnitLibrary {
 public:
  // Before the first table(): the unit documents of a pack, the rest of the file blanked.
  void add(std::string file, std::string yaml);

  // May be called from any thread at once.
  const UnitTable& table() const;
  const std::vector<Error>& problems() const;

 private:
  void read() const;

  std::vector<std::pair<std::string, std::string>> sources_;
  mutable std::once_flag once_;
  mutable UnitTable table_;
  mutable std::vector<Error> problems_;
};

}  // namespace tinyarms::questions
