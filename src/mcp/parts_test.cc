// The parts beside the dispatcher.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/hand_clock.h"
#include "mcp/errands.h"
#include "mcp/ledger.h"
#include "mcp/roots.h"
#include "mcp/sessions.h"
#include "mcp/stdio.h"

namespace tinyarms::mcp {
namespace {

namespace fs = std::filesystem;

class RootsTest : public testing::Test {
 protected:
  RootsTest() {
    fs::create_directories(folder_ / "in" / "sub");
    fs::create_directories(folder_ / "inside-not");
    std::ofstream(folder_ / "in" / "sub" / "a.py") << "x\n";
    std::ofstream(folder_ / "secret") << "x\n";
    fs::create_symlink(folder_ / "secret", folder_ / "in" / "way-out");
    fs::create_symlink(folder_, folder_ / "in" / "up");
    auto roots = Roots::open({(folder_ / "in").string()});
    if (roots) roots_ = std::move(*roots);
  }
  ~RootsTest() override { fs::remove_all(folder_); }

  static fs::path make_folder() {
    std::string name = (fs::temp_directory_path() / "tinyarms-roots-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return fs::canonical(name);
  }

  fs::path folder_ = make_folder();
  Roots roots_;
};

TEST_F(RootsTest, TakesWhatLiesInThem) {
  EXPECT_EQ(*roots_.resolve("sub/a.py"), (folder_ / "in/sub/a.py").string());
  EXPECT_EQ(*roots_.resolve("sub/../sub"), (folder_ / "in/sub").string());
  EXPECT_EQ(*roots_.resolve(""), (folder_ / "in").string());
  EXPECT_EQ(*roots_.resolve((folder_ / "in/sub").string()), (folder_ / "in/sub").string());
  EXPECT_EQ(roots_.shown((folder_ / "in/sub/a.py").string()), "sub/a.py");
  EXPECT_EQ(roots_.resolve("none").error().code, ErrorCode::NotFound);
}

TEST_F(RootsTest, LetsNothingOut) {
  const std::vector<std::string> outside = {
      "..", "../secret", "sub/../../secret", "/etc/passwd", (folder_ / "secret").string(),
      "way-out", "up/secret", "up/inside-not", (folder_ / "in").string() + "side-not",
      std::string("a\0b", 3)};
  for (const std::string& path : outside) {
    const auto there = roots_.resolve(path);
    ASSERT_FALSE(there) << path;
    EXPECT_EQ(there.error().code, ErrorCode::InvalidArgument) << path;
  }
  EXPECT_FALSE(Roots().resolve("."));
  EXPECT_FALSE(Roots::open({(folder_ / "secret").string()}));
}

TEST(McpSessions, AreTheirOwners) {
  HandClock clock;
  Sessions sessions(clock, 2);
  const std::string a = sessions.open("ann");
  ASSERT_EQ(a.size(), 32u);
  EXPECT_TRUE(sessions.use(a, "ann"));
  EXPECT_FALSE(sessions.use(a, "bob"));
  EXPECT_FALSE(sessions.close(a, "bob"));
  clock.now = 1;
  const std::string b = sessions.open("ann");
  clock.now = 2;
  EXPECT_TRUE(sessions.use(a, "ann"));
  clock.now = 3;
  const std::string c = sessions.open("ann");  // b has been quiet for longest
  EXPECT_FALSE(sessions.use(b, "ann"));
  EXPECT_TRUE(sessions.close(c, "ann"));
  EXPECT_FALSE(sessions.use(c, "ann"));
}

TEST(McpSessions, OfWhoeverHasMostGoFirst) {
  HandClock clock;
  Sessions sessions(clock, 3);
  const std::string a = sessions.open("ann");
  for (int i = 0; i < 10; ++i) {
    ++clock.now;
    sessions.open("bob");
  }
  EXPECT_TRUE(sessions.use(a, "ann"));
}

TEST(McpLedger, KeepsTheNewestOfEachOwner) {
  Ledger ledger(2);
  for (const char* id : {"aaaa1", "bbbb2", "cccc3"}) {
    ledger.add({.id = id, .owner = id[0] == 'c' ? "ann" : "", .at = 0, .logged = false,
                .reply = {}});
  }
  EXPECT_FALSE(ledger.find("aaaa1", ""));
  EXPECT_EQ(ledger.find("last", "")->id, "bbbb2");
  EXPECT_EQ(ledger.find("cccc", "ann")->id, "cccc3");
  EXPECT_FALSE(ledger.find("cccc3", ""));
  EXPECT_FALSE(ledger.find("", "ann"));
}

std::shared_ptr<StopFlag> waited_for() { return std::make_shared<StopFlag>(); }

TEST(McpErrands, RefuseWhenFullAndDropWhenClosed) {
  Errands errands(1, 1);
  std::promise<void> begun;
  std::promise<void> go;
  ASSERT_TRUE(errands.submit(waited_for(), [&] {
    begun.set_value();
    go.get_future().wait();
  }));
  begun.get_future().wait();
  auto dropped = std::make_shared<int>(0);
  ASSERT_TRUE(errands.submit(waited_for(), [dropped] { ++*dropped; }));
  EXPECT_FALSE(errands.submit(waited_for(), [] {}));
  std::thread closing([&] { errands.close(); });
  while (errands.submit(waited_for(), [] {})) std::this_thread::yield();
  go.set_value();
  closing.join();
  EXPECT_EQ(dropped.use_count(), 1);
  EXPECT_FALSE(errands.submit(waited_for(), [] {}));
}

TEST(McpErrands, DropWhatNobodyWaitsFor) {
  std::atomic<int> done{0};
  std::promise<void> begun;
  std::promise<void> go;
  std::promise<void> last;
  Errands errands(1, 2);
  ASSERT_TRUE(errands.submit(waited_for(), [&] {
    begun.set_value();
    go.get_future().wait();
  }));
  begun.get_future().wait();
  const auto gone = waited_for();
  ASSERT_TRUE(errands.submit(gone, [&] { done += 100; }));
  ASSERT_TRUE(errands.submit(waited_for(), [&] { ++done; }));
  EXPECT_FALSE(errands.submit(waited_for(), [&] { done += 100; }));
  gone->raise();
  // In the place of the one that went.
  EXPECT_TRUE(errands.submit(waited_for(), [&] { last.set_value(); }));
  go.set_value();
  last.get_future().wait();
  EXPECT_EQ(done, 1);
}

bool write_whole(int descriptor, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// What a client writes, and what it reads back.
std::string spoken(const std::string& input) {
  Dispatcher dispatcher(Offer{});
  int in[2] = {};
  int out[2] = {};
  if (::pipe(in) != 0 || ::pipe(out) != 0) return "no pipes";
  std::thread writer([&] {
    write_whole(in[1], input);
    ::close(in[1]);
  });
  std::string output;
  std::thread reader([&] {
    char block[4096];
    while (true) {
      const ssize_t got = ::read(out[0], block, sizeof block);
      if (got <= 0) break;
      output.append(block, static_cast<size_t>(got));
    }
  });
  const StopFlag stop;
  serve_stdio(dispatcher,
              {.input = in[0],
               .write = [&](std::string_view bytes) { return write_whole(out[1], bytes); },
               .wait = [](int) { return true; },
               .ended = {}},
              stop);
  ::close(out[1]);
  writer.join();
  reader.join();
  ::close(in[0]);
  ::close(out[0]);
  return output;
}

TEST(McpStdio, AnswersLineByLineAndOutlivesNonsense) {
  const std::string output = spoken(
      "nonsense\n[]\n"
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n" +
      std::string(kLineBytesMax + 10, 'x') +
      "\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}");  // without a newline
  std::vector<Json> lines;
  for (size_t at = 0; at < output.size();) {
    const size_t end = output.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    lines.push_back(Json::parse(output.substr(at, end - at)));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["error"]["code"], jsonrpc::kParseError);
  EXPECT_TRUE(lines[0]["id"].is_null());
  EXPECT_EQ(lines[1]["error"]["code"], jsonrpc::kInvalidRequest);
  EXPECT_EQ(lines[2]["error"]["code"], jsonrpc::kInvalidRequest);
  EXPECT_EQ(lines[3]["id"], 7);
  EXPECT_TRUE(lines[3].contains("result"));
}

}  // namespace
}  // namespace tinyarms::mcp
