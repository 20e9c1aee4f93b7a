#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>

#include "http/local_client.h"
#include "http/server.h"
#include "resident/announcement.h"
#include "resident/client.h"
#include "resident/notify.h"
#include "resident/wire.h"

namespace tinyarms::resident {
namespace {

namespace fs = std::filesystem;
using cascade::Level;

// A home of its own, gone with the test.
class ResidentTest : public testing::Test {
 protected:
  ResidentTest() {
    std::string name = (fs::temp_directory_path() / "tinyarms-resident-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    variables_["XDG_RUNTIME_DIR"] = home_.string();
    paths_.config_file = home_ / "config.toml";
    paths_.cache_dir = home_ / "cache";
    paths_.data_dir = home_ / "data";
  }
  ~ResidentTest() override { fs::remove_all(home_); }

  fs::path folder() const { return home_ / "tinyarms"; }
  // What a server that was killed leaves.
  void leave_a_socket() const {
    auto claimed = Announcement::claim(environment_, paths_);
    ASSERT_TRUE(claimed) << claimed.error().message();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = (*claimed)->socket().string();
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  size_t sockets() const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder())) count += entry.is_socket();
    return count;
  }

  fs::path home_;
  std::map<std::string, std::string> variables_;
  Paths paths_;
  Environment environment_ = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
  };
};

TEST_F(ResidentTest, WithoutARuntimeFolderTheCacheHasOne) {
  variables_["XDG_RUNTIME_DIR"] = "relative";
  EXPECT_EQ(runtime_folder(environment_, paths_), paths_.cache_dir / "run");
}

TEST_F(ResidentTest, OneServerIsAnnouncedAndTheNextOneIsToldSo) {
  auto first = Announcement::claim(environment_, paths_);
  ASSERT_TRUE(first) << first.error().message();
  struct stat facts {};
  ASSERT_EQ(::stat(folder().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  auto second = Announcement::claim(environment_, paths_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  first->reset();
  EXPECT_TRUE(Announcement::claim(environment_, paths_));
}

TEST_F(ResidentTest, HomesDoNotMeet) {
  auto first = Announcement::claim(environment_, paths_);
  Paths other = paths_;
  other.data_dir = home_ / "elsewhere";
  EXPECT_TRUE(Announcement::claim(environment_, other));
}

TEST_F(ResidentTest, AFolderThatOthersMayEnterOrALinkIsRefused) {
  ASSERT_EQ(::mkdir(folder().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(folder().c_str(), 0755), 0);
  auto open = OwnFolder::open(folder(), true);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::Config);
  fs::remove(folder());
  ASSERT_EQ(::mkdir((home_ / "real").c_str(), 0700), 0);
  fs::create_directory_symlink(home_ / "real", folder());
  open = OwnFolder::open(folder(), true);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::Config);
  fs::remove(folder());
  std::ofstream(folder()) << "a file";
  EXPECT_FALSE(OwnFolder::open(folder(), true));
}

TEST_F(ResidentTest, ALockThatIsALinkIsNotFollowed) {
  ASSERT_TRUE(OwnFolder::open(folder(), true));
  auto place = find_place(environment_, paths_, false);
  ASSERT_TRUE(place);
  fs::create_symlink(home_ / "victim", folder() / (place->name + ".lock"));
  EXPECT_FALSE(Announcement::claim(environment_, paths_));
  EXPECT_FALSE(fs::exists(home_ / "victim"));
}

TEST_F(ResidentTest, WhereNoServerEverWasThereIsNothingToTell) {
  auto facts = Client(environment_, paths_).facts();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::NotFound);
}

TEST_F(ResidentTest, WhatAKilledServerLeftIsToldOnceAndClearedAway) {
  leave_a_socket();
  EXPECT_EQ(sockets(), 1u);
  const Client client(environment_, paths_);
  auto facts = client.facts();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(sockets(), 0u);
  facts = client.facts();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::NotFound);
}

TEST_F(ResidentTest, TheSocketOfAServerThatIsStartingStays) {
  leave_a_socket();
  auto starting = Announcement::claim(environment_, paths_);
  auto place = find_place(environment_, paths_, false);
  bool removed = true;
  EXPECT_TRUE(is_held(*place, removed));
  EXPECT_FALSE(removed);
  EXPECT_EQ(sockets(), 1u);
}

// Says what the test wants it to.
class Scripted final : public http::Application {
 public:
  std::string script;  // of a reply in lines
  std::optional<http::Response> response = {};
  bool own_user = false;

  std::optional<http::Response> admit(http::Request& request) override {
    own_user = request.own_user;
    return std::nullopt;
  }
  void handle(const std::shared_ptr<http::Exchange>& exchange) override {
    if (response) return exchange->send(*response);
    exchange->begin({200, "application/x-ndjson", script});
    exchange->end();
  }
  http::Response refuse(int status, std::string_view) override {
    return {status, "", ""};
  }
};

class Heard final : public cascade::Listener {
 public:
  void tier_started(Level level, std::string_view source) override {
    all += "start " + std::string(cascade::level_name(level)) + " " + std::string(source) + "\n";
  }
  void text_generated(Level, std::string_view piece) override {
    all += "text " + std::string(piece) + "\n";
  }
  void step_finished(const cascade::Step& step) override {
    all += "step " + std::string(cascade::decision_name(step.decision)) + "\n";
  }
  std::string all;
};

cascade::Reply sample_reply() {
  cascade::Reply reply;
  reply.id = "abcd";
  reply.trace.resize(2);
  reply.trace[0].decision = cascade::Decision::Fail;
  reply.trace[0].error = ErrorCode::OverBudget;
  cascade::Step& step = reply.trace[1];
  step.level = Level::L2;
  step.decision = cascade::Decision::Accept;
  step.reason = "0.71 ≥ 0.60";
  step.confidence = 0.1 + 0.2;
  step.threshold = 0.6;
  step.certificate = "c";
  step.seconds = 1.25;
  step.attempt.answered = true;
  step.attempt.answer = "grüß\n";
  step.attempt.source = "a model";
  step.attempt.notice = "n";
  step.attempt.finish = cascade::Finish::Length;
  step.attempt.evidence.set("p_mean", 1.0 / 3);
  step.attempt.evidence.set("exact", true);
  step.attempt.evidence.set("intent", std::string("code"));
  step.attempt.evidence.set("odd", std::nan(""));
  step.attempt.cost.completion_tokens = 7;
  step.attempt.cost.dollars = 0.25;
  reply.winner = 1;
  reply.sure = true;
  return reply;
}

class ServedTest : public ResidentTest {
 protected:
  void serve() {
    auto claimed = Announcement::claim(environment_, paths_);
    ASSERT_TRUE(claimed) << claimed.error().message();
    announcement_ = std::move(*claimed);
    http::ServerOptions options;
    options.address.clear();
    options.own_socket = announcement_->socket();
    options.threads = 1;
    auto server = http::Server::start(options, application_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }
  Result<Served> ask() {
    cascade::Request request;
    request.messages.push_back({cascade::Role::User, "?"});
    return Client(environment_, paths_).ask(request, "/", {}, {.stop = stop_, .listener = heard_});
  }

  Scripted application_;
  std::unique_ptr<Announcement> announcement_;
  std::unique_ptr<http::Server> server_;
  StopFlag stop_;
  Heard heard_;
};

TEST_F(ServedTest, EventsArriveInOrderAndTheReplyWhole) {
  application_.script = accepted_line("req_1") + started_line(Level::L2, "a model") +
                        text_line(Level::L2, "grüß\n") + step_line(sample_reply().trace[1]) +
                        reply_line(sample_reply(), {"a notice"});
  serve();
  auto served = ask();
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_TRUE(application_.own_user);
  EXPECT_EQ(heard_.all, "start l2 a model\ntext grüß\n\nstep accept\n");
  EXPECT_EQ(served->notices, std::vector<std::string>{"a notice"});
  const cascade::Reply expected = sample_reply();
  const cascade::Reply& reply = served->reply;
  EXPECT_EQ(reply.id, "abcd");
  EXPECT_TRUE(reply.sure);
  ASSERT_NE(reply.step(), nullptr);
  EXPECT_EQ(reply.trace[0].error, ErrorCode::OverBudget);
  EXPECT_EQ(reply.step()->confidence, expected.step()->confidence);  // to the last bit
  EXPECT_EQ(reply.step()->attempt.answer, "grüß\n");
  EXPECT_EQ(reply.step()->attempt.finish, cascade::Finish::Length);
  EXPECT_EQ(reply.step()->attempt.evidence.number("p_mean"), 1.0 / 3);
  EXPECT_EQ(reply.step()->attempt.evidence.flag("exact"), true);
  EXPECT_TRUE(std::isnan(*reply.step()->attempt.evidence.number("odd")));
  EXPECT_EQ(step_line(*reply.step()), step_line(*expected.step()));
}

TEST_F(ServedTest, AReplyThatBreaksOffIsAnErrorAndWhatWasShownIsNoAnswer) {
  application_.script = accepted_line("req_1") + text_line(Level::L2, "half of");
  serve();
  auto served = ask();
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(heard_.all, "text half of\nstep fail\n");
}

TEST_F(ServedTest, WhatIsNoReplyIsAnError) {
  for (const char* line : {"nonsense\n", "{}\n", "{\"reply\": {}}\n", "[1]\n",
                           "{\"text\": \"a\", \"tier\": \"l9\"}\n"}) {
    application_.script = line;
    if (!server_) serve();
    auto served = ask();
    ASSERT_FALSE(served) << line;
    EXPECT_EQ(served.error().code, ErrorCode::Corrupt) << line;
  }
}

TEST_F(ServedTest, OtherFootingsBusyAndOldServersSayWhichTheyAre) {
  application_.response = {409, "application/json", R"({"differences": ["l2.model", "threads"]})"};
  serve();
  auto served = ask();
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, ErrorCode::Unsupported);
  EXPECT_NE(served.error().what.find("l2.model, threads"), std::string::npos);
  application_.response = {429, "application/json", "{}"};
  EXPECT_EQ(ask().error().code, ErrorCode::Unavailable);
  application_.response = {404, "application/json", "{}"};
  EXPECT_EQ(ask().error().code, ErrorCode::Unsupported);
}

TEST_F(ResidentTest, AServerThatNeverAnswersCostsABoundedTime) {
  const fs::path path = home_ / "silent";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  auto reply = http::call_local({.socket = path, .path = "/", .patience_seconds = 0.1});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::Unavailable);
  auto given_up = http::call_local({.socket = path, .path = "/", .patience_seconds = 60},
                                   {.waiting = [] { return false; }});
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::Interrupted);
}

TEST(Wire, ARequestIsReadAsItWasWritten) {
  cascade::Request request;
  request.messages = {{cascade::Role::User, "a"}, {cascade::Role::Assistant, "b"},
                      {cascade::Role::User, "c"}};
  request.files = {{"x.py", "print()"}};
  request.sampling = {.temperature = 0.5, .seed = 9, .tokens_max = 3, .stop = {"\n"}};
  request.only_level = Level::L2;
  request.level_min = Level::L3;
  request.threshold = 0.25;
  request.level_thresholds[Level::L2] = 0.5;
  request.route_thresholds[Level::L2]["maths"] = 0.8;
  request.offline = false;
  auto text = question_text({request, "/here", false}, {{"a", "1"}});
  ASSERT_TRUE(text);
  const auto json = nlohmann::ordered_json::parse(*text);
  auto read = read_question(json);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*question_text(*read, read_footing(json)), *text);
  EXPECT_EQ(read->request.question(), "c");
  EXPECT_FALSE(read->shown);
  EXPECT_EQ(read->request.sampling.seed, 9u);
  EXPECT_EQ(read->request.level_thresholds.at(Level::L2), 0.5);
  EXPECT_EQ(read->request.route_thresholds, request.route_thresholds);
  EXPECT_FALSE(read->request.level_max);
}

TEST(Wire, WhatIsNoQuestionIsAnError) {
  using Json = nlohmann::ordered_json;
  EXPECT_FALSE(read_question(Json()));
  EXPECT_FALSE(read_question(Json::object()));
  EXPECT_FALSE(read_question(Json::array()));
  cascade::Request request;
  const auto asks_nothing = Json::parse(*question_text({request, "/"}, {}));
  EXPECT_FALSE(read_question(asks_nothing));
  EXPECT_TRUE(read_footing({{"footing", {{"a", 1}}}}).empty());
  EXPECT_TRUE(read_footing(Json::object()).empty());
  EXPECT_FALSE(question_text({request, "/\xff"}, {}));
}

TEST_F(ResidentTest, AServiceManagerIsTold) {
  const fs::path path = home_ / "notify";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  notify(environment_, "READY=1");  // nobody asked to be told
  variables_["NOTIFY_SOCKET"] = path.string();
  notify(environment_, "STOPPING=1");
  char text[128];
  ssize_t got = ::recv(socket.get(), text, sizeof text, MSG_DONTWAIT);
  EXPECT_EQ(std::string(text, static_cast<size_t>(std::max<ssize_t>(got, 0))), "STOPPING=1");
  notify_reloading(environment_);
  got = ::recv(socket.get(), text, sizeof text, MSG_DONTWAIT);
  const std::string told(text, static_cast<size_t>(std::max<ssize_t>(got, 0)));
  EXPECT_TRUE(told.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << told;
}

}  // namespace
}  // namespace tinyarms::resident
