// A peer that lives in Python packages: a script of this folder, kept running, asked in lines of
// JSON. TINYARMS_BENCH_PYTHON names a Python that has the packages (docs/embeddings.md); without
// it a benchmark measures us alone.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::bench {

class PythonPeer {
 public:
  // Null where TINYARMS_BENCH_PYTHON is not set. Errors: Internal (it does not start, packages).
  static Result<std::unique_ptr<PythonPeer>> start(const std::string& script,
                                                   const std::vector<std::string>& arguments);
  ~PythonPeer();
  PythonPeer(const PythonPeer&) = delete;
  PythonPeer& operator=(const PythonPeer&) = delete;

  Result<nlohmann::json> ask(const nlohmann::json& request);

 private:
  PythonPeer(pid_t process, std::FILE* to, std::FILE* from)
      : process_(process), to_(to), from_(from) {}
  Result<nlohmann::json> read_line();

  pid_t process_;
  std::FILE* to_;
  std::FILE* from_;
};

}  // namespace tinyarms::bench
