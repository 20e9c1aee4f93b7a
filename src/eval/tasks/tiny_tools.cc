// Tool calls as JSON: one function and one argument (level 1), several arguments (2), the right one
// of several functions (3), lists inside arguments or no fitting function at all (4).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "eval/tasks/tiny_drawing.h"
#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval::tiny {
namespace {

constexpr uint64_t kSeed = 20'261'104;
constexpr int kPerLevel = 12;
using Json = nlohmann::ordered_json;

const std::vector<std::string> kCities = {"Berlin", "Nairobi", "Lima", "Oslo", "Kyoto", "Toronto"};
const std::vector<std::string> kRooms = {"kitchen", "office", "garage", "bedroom", "hall"};
const std::vector<std::string> kPeople = {"Ann", "Boris", "Chloe", "David", "Emma"};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // "city: string"
};

const Tool kWeather = {"get_weather", "tells the weather of a city", "city: string"};
const Tool kTimer = {"set_timer", "starts a timer", "minutes: integer"};
const Tool kLight = {"set_light", "dims the light of a room", "room: string, percent: integer"};
const Tool kTransfer = {"send_money", "sends money to a person", "to: string, amount: integer"};
const Tool kMeeting = {"create_meeting", "invites people to a meeting",
                       "people: array of strings, hour: integer"};

struct Wish {
  std::string text;
  Json call;  // null: none of the tools fits
};

Wish weather(calibration::Random& random) {
  const std::string& city = pick(random, kCities);
  return {fmt::format("What is the weather in {}?", city),
          {{"name", "get_weather"}, {"arguments", {{"city", city}}}}};
}

Wish timer(calibration::Random& random) {
  const int64_t minutes = draw(random, {3, 55});
  return {fmt::format("Start a timer of {} minutes.", minutes),
          {{"name", "set_timer"}, {"arguments", {{"minutes", minutes}}}}};
}

Wish light(calibration::Random& random) {
  const std::string& room = pick(random, kRooms);
  const int64_t percent = draw(random, {1, 9}) * 10;
  return {fmt::format("Set the light in the {} to {} percent.", room, percent),
          {{"name", "set_light"}, {"arguments", {{"room", room}, {"percent", percent}}}}};
}

Wish transfer(calibration::Random& random) {
  const std::string& person = pick(random, kPeople);
  const int64_t amount = draw(random, {5, 95});
  return {fmt::format("Send {} dollars to {}.", amount, person),
          {{"name", "send_money"}, {"arguments", {{"to", person}, {"amount", amount}}}}};
}

Wish meeting(calibration::Random& random) {
  std::vector<std::string> people = kPeople;
  random.shuffle(people);
  people.resize(3);
  const int64_t hour = draw(random, {9, 17});
  return {fmt::format("Invite {} to a meeting at {} o'clock.", fmt::join(people, ", "), hour),
          {{"name", "create_meeting"}, {"arguments", {{"people", people}, {"hour", hour}}}}};
}

Wish unfitting(calibration::Random& random) {
  return {fmt::format("Book a flight to {}.", pick(random, kCities)),
          {{"name", "none"}, {"arguments", Json::object()}}};
}

std::string describe(const std::vector<Tool>& tools) {
  std::string text;
  for (const Tool& tool : tools) {
    text += fmt::format("- {}({}): {}\n", tool.name, tool.parameters, tool.description);
  }
  return text;
}

// An example of another function shows the form; levels 1 and 2 need no more than to follow it.
std::string prompt(const std::vector<Tool>& tools, const std::string& wish) {
  return fmt::format(
      "Answer with one JSON object that calls the fitting function, and nothing else. If no "
      "function fits, use the name \"none\" and no arguments.\n\n"
      "Functions:\n- play_song(title: string): plays a song\n{}\n"
      "Request: Play Yellow Moon.\n"
      "{{\"name\": \"play_song\", \"arguments\": {{\"title\": \"Yellow Moon\"}}}}\n\n"
      "Request: {}\n",
      describe(tools), wish);
}

}  // namespace

std::vector<Item> tools_items() {
  calibration::Random random(kSeed);
  const std::vector<Tool> all = {kWeather, kTimer, kLight, kTransfer, kMeeting};
  std::vector<Item> items;
  for (int level = 1; level <= 4; ++level) {
    for (int i = 0; i < kPerLevel; ++i) {
      Wish wish;
      std::vector<Tool> tools = all;
      if (level == 1) {
        wish = i % 2 == 0 ? weather(random) : timer(random);
        tools = {i % 2 == 0 ? kWeather : kTimer};
      } else if (level == 2) {
        wish = i % 2 == 0 ? light(random) : transfer(random);
        tools = {i % 2 == 0 ? kLight : kTransfer};
      } else if (level == 3) {
        wish = i % 4 == 0   ? weather(random)
               : i % 4 == 1 ? light(random)
               : i % 4 == 2 ? transfer(random)
                            : timer(random);
      } else {
        wish = i % 3 == 2 ? unfitting(random) : meeting(random);
      }
      items.push_back(question_item({.group = "tools",
                                     .level = level,
                                     .number = i,
                                     .text = prompt(tools, wish.text),
                                     .tokens_max = 64,
                                     .reference = call_reference(wish.call.dump())}));
    }
  }
  return items;
}

}  // namespace tinyarms::eval::tiny
