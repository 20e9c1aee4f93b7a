#include "door/guard.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace tinyarms::door {
namespace {

std::string trim(std::string text) {
  while (!text.empty() && text.front() == ' ') text.erase(0, 1);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// "name: value", or one of the words with a star.
void read_part(const std::string& part, http::Request& request, GuardOptions& options) {
  const auto after = [&](const char* word) { return trim(part.substr(std::string(word).size())); };
  if (part.starts_with("*HOST")) {
    options.hosts = {after("*HOST")};
  } else if (part.starts_with("*ORIGIN")) {
    options.origins = {after("*ORIGIN")};
  } else if (part == "*PUBLIC") {
    options.address = "0.0.0.0";
    options.loopback = false;
  } else if (part == "*UNIX") {
    request.local_socket = true;
  } else {
    const size_t colon = part.find(':');
    request.headers.push_back({part.substr(0, colon), trim(part.substr(colon + 1))});
  }
}

TEST(Guard, DoesWhatTheMatrixSays) {
  const char* root = std::getenv("TINYARMS_SOURCE");
  ASSERT_NE(root, nullptr);
  std::ifstream file(std::string(root) + "/tests/http/guard_matrix.txt");
  ASSERT_TRUE(file.good());
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    http::Request request;
    GuardOptions options{.address = "127.0.0.1", .port = 8421};
    const int status = std::stoi(line.substr(0, 3));
    const size_t blank = line.find(' ', 4);
    request.method = line.substr(4, blank - 4);
    request.path = "/v1/models";
    std::string rest = line.substr(blank + 1);
    for (size_t at; !rest.empty(); rest = at == std::string::npos ? "" : rest.substr(at + 3)) {
      at = rest.find(" | ");
      read_part(trim(rest.substr(0, at)), request, options);
    }
    const auto refusal = check_request(request, options);
    EXPECT_EQ(refusal ? refusal->status : 200, status) << line;
    if (refusal) {
      EXPECT_FALSE(refusal->why.empty()) << line;
    }
    ++cases;
  }
  EXPECT_GE(cases, 40);
}

TEST(Guard, AnswersOnlyAllowedOriginsWithCors) {
  GuardOptions options{.port = 8421, .origins = {"https://app.example"}};
  http::Request request;
  request.headers = {{"host", "127.0.0.1:8421"}, {"origin", "https://app.example"}};
  EXPECT_FALSE(cors_headers(request, options).empty());
  request.headers[1].value = "https://evil.example";
  EXPECT_TRUE(cors_headers(request, options).empty());
  request.headers.pop_back();
  EXPECT_TRUE(cors_headers(request, options).empty());
}

}  // namespace
}  // namespace tinyarms::door
