// Two tenants never share an entry, whatever else of their requests is the same.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "storage/test_folder.h"
#include "tiers/answer_memory.h"

namespace tinyarms::tiers {
namespace {

struct Asked {
  cascade::Request request;
  Place place;
  std::string stack;
};

// Few words, among them those that a binding is written with, so that parts of different kinds are
// often the same text.
Asked random_request(std::mt19937& random) {
  static const std::vector<std::string> words = {"",  "any", "l2", "a", "b", "owner a", "owner b",
                                                 "0", "1:a;", "#1;", "0.0 0 512"};
  const auto word = [&] { return words[random() % words.size()]; };
  Asked asked;
  cascade::Request& request = asked.request;
  request.owner = word();
  if (random() % 3 == 0) asked.place = {.project = word(), .state = word()};
  asked.stack = random() % 3 == 0 ? word() : "s";
  for (unsigned i = random() % 3; i > 0; --i) request.sampling.stop.push_back(word());
  if (random() % 3 == 0) request.level_max = cascade::Level::L2;
  for (unsigned i = random() % 3; i > 0; --i) {
    request.messages.push_back({random() % 2 == 0 ? cascade::Role::User : cascade::Role::System,
                                word()});
  }
  request.messages.push_back({cascade::Role::User, "question " + std::to_string(random() % 3)});
  for (unsigned i = random() % 3; i > 0; --i) request.files.push_back({word(), word()});
  return asked;
}

// Everything that an answer depends on, in a form that cannot run together.
std::vector<std::vector<std::string>> parts_of(const Asked& asked) {
  const cascade::Request& request = asked.request;
  std::vector<std::vector<std::string>> parts = {
      {request.owner, asked.place.project, asked.place.state, asked.stack},
      request.sampling.stop,
      {request.level_max ? "l2" : ""},
      {},
      {}};
  for (size_t i = 0; i + 1 < request.messages.size(); ++i) {
    parts[3].push_back(std::to_string(static_cast<int>(request.messages[i].role)));
    parts[3].push_back(request.messages[i].content);
  }
  for (const auto& file : request.files) {
    parts[4].push_back(file.path);
    parts[4].push_back(file.content);
  }
  return parts;
}

TEST(Tenants, ABindingIsSharedOnlyWhereEverythingIsTheSame) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<std::string, std::vector<std::vector<std::string>>> known;
  for (int round = 0; round < 20'000; ++round) {
    const Asked asked = random_request(random);
    const auto parts = parts_of(asked);
    const auto [place, fresh] =
        known.emplace(answer_binding(asked.request, asked.stack, asked.place).hash, parts);
    ASSERT_EQ(place->second, parts) << "round " << round;
  }
}

TEST(Tenants, NobodyIsGivenAnothersAnswer) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const storage::TestFolder folder;
  storage::HandClock clock;
  // Small limits, so that entries come, age, are pushed out and come again all the time.
  AnswerMemory memory(folder / "answers.sqlite",
                      storage::AnswerCacheOptions{.entries_max = 60, .bytes_max = 20'000,
                                                  .seconds_max = 400},
                      clock);
  size_t hits = 0;
  for (int round = 0; round < 1500; ++round) {
    clock.now += 1;
    Asked asked = random_request(random);
    if (random() % 4 != 0) {  // mostly alike but for the tenant
      asked = {.request = {}, .place = {}, .stack = "s"};
      asked.request.owner = "tenant " + std::to_string(random() % 4);
      asked.request.messages = {{cascade::Role::User, "question " + std::to_string(random() % 3)}};
    }
    const cascade::Request& request = asked.request;
    const storage::Binding binding = answer_binding(request, asked.stack, asked.place);
    const std::vector<float> embedding = {1, static_cast<float>(random() % 3)};
    if (random() % 2 == 0) {
      memory.remember(binding, {.question = request.question(),
                                .answer = "for " + request.owner + ".", .source = "m",
                                .level = "l2", .confidence = 0.5},
                      embedding);
      continue;
    }
    if (auto exact = memory.find_exact(binding, request.question())) {
      ++hits;
      ASSERT_EQ(exact->answer, "for " + request.owner + ".") << "round " << round;
    }
    if (auto similar = memory.find_similar(binding, embedding, -1)) {
      ++hits;
      ASSERT_EQ(similar->entry.answer, "for " + request.owner + ".") << "round " << round;
    }
  }
  EXPECT_GT(hits, 50U);
  EXPECT_EQ(memory.take_notice(), "");
}

}  // namespace
}  // namespace tinyarms::tiers
