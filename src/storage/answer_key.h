// The hashes by which the answer cache knows a question, an entry, and an answer that was rejected.
#pragma once

#include <string>
#include <string_view>

namespace tinyarms::storage {

std::string question_hash(std::string_view question);  // of its normalised form

// Of a user, a question (its hash) and an answer to it, whatever else the answer depended on.
std::string rejected_pair(std::string_view user, std::string_view question_key,
                          std::string_view answer);

}  // namespace tinyarms::storage
