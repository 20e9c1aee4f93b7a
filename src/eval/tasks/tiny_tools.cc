// Tool calls as JSON, in a conversation that shows the form with a call or two: of the very
// function that is wished for (level 1), with two arguments or among several functions (2), of
// another function only (3), lists inside arguments or no fitting function at all (4).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "eval/tasks/tiny_drawing.h"
#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval::tiny {
namespace {

constexpr uint64_t kToolsSeed = 20'261'104;
constexpr int kToolsPerLevel = 12;
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

// As people write JSON on one line: a space after each comma and colon.
std::string spoken(const Json& value) {
  if (!value.is_structured()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [key, part] : value.items()) {
    parts.push_back(value.is_object() ? fmt::format("\"{}\": {}", key, spoken(part))
                                      : spoken(part));
  }
  const std::string all = fmt::format("{}", fmt::join(parts, ", "));
  return value.is_object() ? "{" + all + "}" : "[" + all + "]";
}

std::string describe(const std::vector<Tool>& tools) {
  std::string text;
  for (const Tool& tool : tools) {
    text += fmt::format("\n- {}({}): {}", tool.name, tool.parameters, tool.description);
  }
  return text;
}

// What a small model copies the form from; none of its values occurs in a wish.
struct Example {
  std::string request;
  Json call;
};

const Example kPlaySong = {"Play Yellow Moon.",
                           {{"name", "play_song"}, {"arguments", {{"title", "Yellow Moon"}}}}};

Example example_of(const Tool& tool) {
  if (tool.name == kWeather.name) {
    return {"What is the weather in Rome?",
            {{"name", tool.name}, {"arguments", {{"city", "Rome"}}}}};
  }
  if (tool.name == kTimer.name) {
    return {"Start a timer of 2 minutes.", {{"name", tool.name}, {"arguments", {{"minutes", 2}}}}};
  }
  if (tool.name == kLight.name) {
    return {"Set the light in the cellar to 15 percent.",
            {{"name", tool.name}, {"arguments", {{"room", "cellar"}, {"percent", 15}}}}};
  }
  return {"Send 4 dollars to Zoe.",
          {{"name", tool.name}, {"arguments", {{"to", "Zoe"}, {"amount", 4}}}}};
}

struct Conversation {
  std::vector<Tool> tools;
  std::vector<Example> examples;
  Wish wish;
};

std::vector<cascade::Message> messages_of(const Conversation& conversation) {
  std::vector<cascade::Message> messages = {
      {cascade::Role::System,
       fmt::format("Answer with one JSON object that calls the fitting function, and nothing "
                   "else. If no function fits, use the name \"none\" and no arguments.\n"
                   "Functions:\n- play_song(title: string): plays a song{}",
                   describe(conversation.tools))}};
  std::vector<Example> examples = {kPlaySong};
  examples.insert(examples.end(), conversation.examples.begin(), conversation.examples.end());
  for (const Example& example : examples) {
    messages.push_back({cascade::Role::User, example.request});
    messages.push_back({cascade::Role::Assistant, spoken(example.call)});
  }
  messages.push_back({cascade::Role::User, conversation.wish.text});
  return messages;
}

Conversation draw_conversation(calibration::Random& random, int level, int number) {
  const std::vector<Tool> all = {kWeather, kTimer, kLight, kTransfer, kMeeting};
  const auto drawn = [&](const Tool& tool) {
    return tool.name == kWeather.name ? weather(random)
           : tool.name == kTimer.name ? timer(random)
           : tool.name == kLight.name ? light(random)
                                      : transfer(random);
  };
  if (level == 1) {
    const Tool& tool = number % 2 == 0 ? kWeather : kTimer;
    return {{tool}, {example_of(tool)}, drawn(tool)};
  }
  if (level == 2 && number % 2 == 0) {
    const Tool& tool = number % 4 == 0 ? kLight : kTransfer;
    return {{tool}, {example_of(tool)}, drawn(tool)};
  }
  const Tool& tool = all[static_cast<size_t>(number / 2 % 4)];
  if (level == 2) {
    std::vector<Example> examples;
    for (size_t i = 0; i < 4; ++i) examples.push_back(example_of(all[i]));
    return {all, std::move(examples), drawn(tool)};
  }
  if (level == 3) {
    const Tool& other = all[static_cast<size_t>((number / 2 + 1) % 4)];
    return {all, {example_of(other)}, drawn(tool)};
  }
  if (number % 3 == 2) {
    const Example none = {"Sing me a song yourself.",
                          {{"name", "none"}, {"arguments", Json::object()}}};
    return {all, {none}, unfitting(random)};
  }
  return {all, {example_of(kWeather)}, meeting(random)};
}

}  // namespace

std::vector<Item> tools_items() {
  calibration::Random random(kToolsSeed);
  std::vector<Item> items;
  for (int level = 1; level <= 4; ++level) {
    for (int number = 0; number < kToolsPerLevel; ++number) {
      const Conversation conversation = draw_conversation(random, level, number);
      Item item = question_item({.group = "tools",
                                 .level = level,
                                 .number = number,
                                 .text = {},
                                 .tokens_max = 64,
                                 .reference = call_reference(conversation.wish.call.dump())});
      item.messages = messages_of(conversation);
      items.push_back(std::move(item));
    }
  }
  return items;
}

}  // namespace tinyarms::eval::tiny
