// Any OpenAI-compatible engine as a subject, asked through its chat completions.
#pragma once

#include <memory>
#include <string>

#include "eval/subject.h"
#include "remote/endpoint.h"

namespace tinyarms::eval {

struct EndpointSubjectOptions {
  remote::Endpoint endpoint;
  int concurrency = 1;  // questions in flight at once
};

// Mode::Choose takes the likeliest option among the 20 first tokens that the engine names; where it
// names none of them, the item cannot be measured. Errors: those of remote::check_endpoint.
Result<std::unique_ptr<Subject>> open_endpoint_subject(const EndpointSubjectOptions& options);

}  // namespace tinyarms::eval
