// Text and code as the words that a full-text index knows: lower case, identifiers taken apart
// (camelCase, snake_case, HTTPServer) and kept whole beside their parts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tinyarms::corpus {

// Separated by blanks, in the order of the text, repeated as often as they stand in it. Letters
// beyond ASCII are kept as they are.
std::string index_words(std::string_view text);

// The same for a question: each word once, without those that say nothing about where to look
// ("where is the …", names of languages) as long as others remain, at most `count_max`.
std::string query_words(std::string_view question, size_t count_max = 48);

}  // namespace tinyarms::corpus
