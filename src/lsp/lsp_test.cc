// The language server with one rule, and positions in texts of every kind.
#include <gtest/gtest.h>

#include <random>

#include "lsp/document.h"
#include "lsp/server.h"

namespace tinyarms::lsp {
namespace {

TEST(LspDocument, CountsUtf16Units) {
  const Document document("python", "aé€😀b\r\nx\n");
  const std::vector<std::pair<size_t, Position>> places = {
      {0, {0, 0}}, {1, {0, 1}}, {3, {0, 2}}, {6, {0, 3}}, {10, {0, 5}}, {11, {0, 6}},
      {13, {1, 0}}, {14, {1, 1}}, {15, {2, 0}}};
  for (const auto& [offset, position] : places) {
    EXPECT_EQ(document.position_of(offset), position) << offset;
    EXPECT_EQ(document.offset_of(position), offset) << offset;
  }
  EXPECT_EQ(document.offset_of({0, 4}), 6u);    // within a pair: its start
  EXPECT_EQ(document.offset_of({0, 99}), 11u);  // beyond the line: its end
  EXPECT_EQ(document.offset_of({9, 0}), 15u);
}

TEST(LspDocument, KnowsEveryKindOfLineBreak) {
  const Document document("", "a\rb\nc\r\nd");
  EXPECT_EQ(document.position_of(2), (Position{1, 0}));
  EXPECT_EQ(document.position_of(4), (Position{2, 0}));
  EXPECT_EQ(document.position_of(7), (Position{3, 0}));
}

// Edits one after the other come to what a text made at once is.
TEST(LspDocument, EditsKeepTheLinesRight) {
  std::mt19937 random(20261128);
  const std::vector<std::string> pieces = {"", "a", "\n", "\r", "\r\n", "é😀", "x\ny\rz", "\n\n"};
  Document edited("", "");
  for (int i = 0; i < 2000; ++i) {
    Position begin{static_cast<uint32_t>(random() % 6), static_cast<uint32_t>(random() % 6)};
    Position end{static_cast<uint32_t>(random() % 6), static_cast<uint32_t>(random() % 6)};
    if (end < begin) std::swap(begin, end);
    ASSERT_TRUE(edited.replace({begin, end}, pieces[random() % pieces.size()]));
    if (edited.text().size() > 60) edited.replace_all("q\nr");
    const Document whole("", edited.text());
    for (size_t at = 0; at <= whole.text().size(); ++at) {
      ASSERT_EQ(edited.position_of(at), whole.position_of(at)) << i << " " << at;
    }
  }
  EXPECT_FALSE(edited.replace({{1, 0}, {0, 0}}, "x"));
}

// A position is where counting from the line's start comes to, in a line of many blocks too.
TEST(LspDocument, CountsInLongLines) {
  std::mt19937 random(20261128);
  const std::vector<std::string> letters = {"a", "é", "€", "😀"};
  std::string line;
  std::vector<std::pair<size_t, uint32_t>> places;
  uint32_t units = 0;
  while (line.size() < 20000) {
    places.emplace_back(line.size(), units);
    const std::string& letter = letters[random() % letters.size()];
    line += letter;
    units += letter.size() == 4 ? 2 : 1;
  }
  Document document("", "x\n" + line);
  ASSERT_TRUE(document.replace({{0, 0}, {0, 0}}, "yy"));
  for (const auto& [offset, character] : places) {
    ASSERT_EQ(document.position_of(offset + 4), (Position{1, character})) << offset;
  }
  ASSERT_TRUE(document.replace({{1, 3}, {1, units}}, ""));
  EXPECT_EQ(document.position_of(document.text().size()), (Position{1, 3}));
}

class LspServer : public testing::Test {
 protected:
  LspServer()
      : rules_(rules::RuleSet::load({.rules = {{"rule.yml",
                                                "id: no-eval\nlanguage: python\n"
                                                "severity: error\nmessage: no $A\n"
                                                "note: because\nrule: {pattern: eval($A)}\n"
                                                "fix: safe($A)\n"}},
                                     .utils = {}})),
        server_(rules_, {}, "1", [this](std::string text) { sent_.push_back(Json::parse(text)); }) {
    ask("initialize", {{"capabilities", Json::object()}});
    sent_.clear();
  }

  Json ask(const std::string& method, const Json& params) {
    server_.take(Json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}
                     .dump());
    return sent_.back();
  }
  Json tell(const std::string& method, const Json& params) {
    server_.take(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump());
    return sent_.empty() ? Json() : sent_.back();
  }
  Json open(const std::string& text) {
    return tell("textDocument/didOpen", {{"textDocument",
                                          {{"uri", kUri},
                                           {"languageId", "python"},
                                           {"version", 1},
                                           {"text", text}}}});
  }

  static constexpr const char* kUri = "file:///a.py";
  rules::RuleSet rules_;
  std::vector<Json> sent_;
  Server server_;
};

Json at(uint32_t line, uint32_t character) {
  return {{"line", line}, {"character", character}};
}

TEST_F(LspServer, TellsFindingsFixesAndNotes) {
  const Json published = open("x = \"😀\"; eval(y)\n")["params"];
  ASSERT_EQ(published["diagnostics"].size(), 1u);
  const Json& diagnostic = published["diagnostics"][0];
  EXPECT_EQ(diagnostic["range"]["start"], at(0, 10));
  EXPECT_EQ(diagnostic["range"]["end"], at(0, 17));
  EXPECT_EQ(diagnostic["code"], "no-eval");
  EXPECT_EQ(diagnostic["message"], "no y");
  EXPECT_EQ(diagnostic["severity"], 1);
  EXPECT_EQ(published["version"], 1);
  const Json document = {{"uri", kUri}};
  const Json actions = ask("textDocument/codeAction",
                           {{"textDocument", document},
                            {"range", {{"start", at(0, 12)}, {"end", at(0, 12)}}},
                            {"context", Json::object()}})["result"];
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0]["edit"]["changes"][kUri][0]["newText"], "safe(y)");
  const Json hover = ask("textDocument/hover", {{"textDocument", document},
                                                {"position", at(0, 11)}})["result"];
  EXPECT_NE(hover["contents"]["value"].get<std::string>().find("because"), std::string::npos);
  EXPECT_TRUE(ask("textDocument/hover", {{"textDocument", document},
                                         {"position", at(0, 1)}})["result"].is_null());
}

TEST_F(LspServer, FollowsEdits) {
  open("eval(y)\n");
  const Json document = {{"uri", kUri}, {"version", 2}};
  Json published = tell("textDocument/didChange",
                        {{"textDocument", document},
                         {"contentChanges",
                          Json::array({{{"range", {{"start", at(0, 0)}, {"end", at(0, 4)}}},
                                        {"text", "pass; exec"}}})}})["params"];
  EXPECT_TRUE(published["diagnostics"].empty());
  EXPECT_EQ(published["version"], 2);
  published = tell("textDocument/didChange",
                   {{"textDocument", document},
                    {"contentChanges", Json::array({{{"text", "\n\neval(1)"}}})}})["params"];
  EXPECT_EQ(published["diagnostics"][0]["range"]["start"], at(2, 0));
  published = tell("textDocument/didClose", {{"textDocument", document}})["params"];
  EXPECT_TRUE(published["diagnostics"].empty());
}

// What the editor has now is not known any more: no findings are shown of what it had before.
TEST_F(LspServer, LetsGoOfATextThatItCannotFollow) {
  const Json document = {{"uri", kUri}, {"version", 2}};
  const Json backwards = {{"range", {{"start", at(0, 4)}, {"end", at(0, 0)}}}, {"text", "x"}};
  const Json no_range = {{"range", 7}, {"text", "x"}};
  const Json large = {{"text", "eval(1)\n" + std::string(kDocumentBytesMax, ' ')}};
  for (const Json& change : {backwards, no_range, large}) {
    ASSERT_EQ(open("eval(y)\n")["params"]["diagnostics"].size(), 1u);
    const Json changed = {{"textDocument", document}, {"contentChanges", Json::array({change})}};
    EXPECT_TRUE(tell("textDocument/didChange", changed)["params"]["diagnostics"].empty());
    const size_t sent = sent_.size();
    tell("textDocument/didChange", changed);  // it is not open any more
    EXPECT_EQ(sent_.size(), sent);
  }
  // A whole text that is as large as one may be takes the place of another.
  const std::string most = "eval(1)\n" + std::string(kDocumentBytesMax - 8, ' ');
  open(most);
  const Json whole = {{"textDocument", document},
                      {"contentChanges", Json::array({{{"range", nullptr}, {"text", most}}})}};
  EXPECT_EQ(tell("textDocument/didChange", whole)["params"]["version"], 2);
}

TEST_F(LspServer, ATextWithoutANameIsNoTrap) {
  tell("textDocument/didOpen", {{"textDocument", {{"uri", ""}, {"text", "eval(1)"}}}});
  const size_t sent = sent_.size();
  tell("textDocument/didChange", {{"contentChanges", Json::array({{{"text", "eval(2)"}}})}});
  EXPECT_EQ(sent_.size(), sent);
}

TEST_F(LspServer, OutlivesNonsense) {
  for (const Json& params :
       {Json(nullptr), Json::array(), Json::object(), Json{{"textDocument", 1}},
        Json{{"textDocument", {{"uri", kUri}}}},
        Json{{"textDocument", {{"uri", kUri}}}, {"contentChanges", {1, {{"range", 2}}}}},
        Json{{"textDocument", {{"uri", kUri}}},
             {"position", {{"line", -1}, {"character", 1e9}}}}}) {
    for (const char* method : {"textDocument/didOpen", "textDocument/didChange",
                               "textDocument/didClose", "textDocument/codeAction",
                               "textDocument/hover", "initialize"}) {
      ask(method, params);
      tell(method, params);
      open("eval(1)");
    }
  }
  server_.take("nonsense");
  EXPECT_EQ(sent_.back()["error"]["code"], jsonrpc::kParseError);
}

TEST_F(LspServer, EndsInOrder) {
  EXPECT_TRUE(ask("shutdown", nullptr)["result"].is_null());
  EXPECT_TRUE(ask("textDocument/hover", Json::object()).contains("error"));
  tell("exit", nullptr);
  EXPECT_TRUE(server_.ended());
  EXPECT_TRUE(server_.orderly());
}

}  // namespace
}  // namespace tinyarms::lsp
