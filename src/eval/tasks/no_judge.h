// A judge for tests of tasks that run no program: asking it is an error.
#pragma once

#include "sandbox/judge.h"

namespace tinyarms::eval::testing {

class NoJudge final : public sandbox::Judge {
 public:
  Result<void> available(std::string_view) override { return refuse(); }
  Result<sandbox::Outcome> run(const sandbox::Program&) override { return refuse(); }

 private:
  static Error refuse() { return Error{ErrorCode::Internal, "nothing is to be run", "", ""}; }
};

}  // namespace tinyarms::eval::testing
