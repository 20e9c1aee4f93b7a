// The renderers on made-up runs, hostile names among them.
#include "eval/report.h"

#include <re2/re2.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace tinyarms::eval {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHostile = "a<b>|&\"'`\n</svg><script>alert(1)</script>";

TaskResult result_of(const std::string& subject, uint64_t correct) {
  TaskResult result;
  result.task = "sums";
  result.subject = subject;
  result.planned = 12;
  result.measured = 10;
  result.unmeasured = 1;
  result.not_reached = 1;
  result.correct = correct;
  result.accuracy = static_cast<double>(correct) / 10;
  result.interval = wilson({.hits = correct, .trials = 10});
  result.groups = {{"even", {correct / 2, 5}}, {"odd", {correct - correct / 2, 5}}};
  result.seconds = 2;
  result.prompt_tokens = 90;
  result.tokens = 30;
  result.peak_memory_bytes = 150'000'000;
  result.confidence = {.signal = "p_mean",
                       .auroc = 0.75,
                       .ece = 0.125,
                       .risk_coverage = {{.coverage = 0.5, .risk = 0.1},
                                         {.coverage = 1.0, .risk = 0.4}},
                       .reliability = {}};
  result.failures = {{"no sandbox <here>", 1}};
  return result;
}

// Two subjects over one task, one encoder's figure, a task that could not be read.
NamedSummary run_of(const std::string& name, uint64_t first, uint64_t second) {
  Summary summary;
  summary.version = "1.0 abc";
  summary.command = "tinyarms bench --tasks sums";
  summary.complete = true;
  summary.tasks = {{.name = "sums",
                    .caveat = "made <up>",
                    .data_sha = "bundled",
                    .prompts_sha = "00ff",
                    .items = 12,
                    .available = 20,
                    .problem = {}},
                   {.name = "gone",
                    .caveat = {},
                    .data_sha = {},
                    .prompts_sha = {},
                    .problem = "no such file"}};
  summary.subjects = {{"small", "model 1", "", ""}, {kHostile, "model 2", "note", ""}};
  summary.results = {result_of("small", first), result_of(kHostile, second)};
  summary.figures = {{.task = "sums",
                      .subject = "encoder",
                      .name = "spearman",
                      .value = 0.5,
                      .interval = {0.4, 0.6},
                      .items = 10}};
  summary.baselines = {{"sums", "random_option", 0.25, "guessing"}};
  for (int item = 0; item < 10; ++item) {
    const std::string id = fmt::format("{}", item);
    summary.scores["sums"]["small"][id] = item < static_cast<int>(first) ? 1 : 0;
    summary.scores["sums"][kHostile][id] = item < static_cast<int>(second) ? 1 : 0;
  }
  return {name, std::move(summary)};
}

Report report_on(const ReportRequest& request) {
  auto report = make_report(request);
  EXPECT_TRUE(report) << report.error().message();
  return *report;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Every tag that needs an end has one, in order; nothing of a name became a tag.
void expect_balanced(const std::string& html) {
  static const RE2 kTag(R"(<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*?)(/?)>)");
  std::vector<std::string> open;
  re2::StringPiece rest(html);
  std::string closes, name, inside, alone;
  while (RE2::FindAndConsume(&rest, kTag, &closes, &name, &inside, &alone)) {
    if (name == "meta" || name == "br" || alone == "/") continue;
    if (closes == "/") {
      ASSERT_FALSE(open.empty()) << "</" << name << "> ends nothing";
      ASSERT_EQ(open.back(), name) << rest.size() << " bytes before the end";
      open.pop_back();
    } else {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty()) << open.size() << " tags never end, the last <" << open.back() << ">";
}

TEST(Report, LeadersAreSortedWithinATask) {
  const ReportRequest request{.runs = {run_of("old", 6, 8)}, .compare = {}};
  const Report report = report_on(request);
  EXPECT_EQ(report.tasks, (std::vector<std::string>{"sums", "gone"}));
  ASSERT_EQ(report.leaders.size(), 2u);
  EXPECT_EQ(report.leaders[0].result->subject, kHostile);
  EXPECT_EQ(report.leaders[1].result->subject, "small");
}

TEST(Report, HtmlStandsAloneAndEscapesWhatItShows) {
  const ReportRequest request{.runs = {run_of("old", 6, 8), run_of("new<i>", 7, 7)},
                              .compare = {}};
  const std::string html = report_html(report_on(request));
  expect_balanced(html);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("new<i>")));
  EXPECT_THAT(html, Not(HasSubstr("src=")));
  EXPECT_THAT(html, Not(HasSubstr("href=")));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(html, HasSubstr("made &lt;up&gt;"));
  EXPECT_THAT(html, HasSubstr("Not measured: no such file"));
  EXPECT_THAT(html, HasSubstr("1 of 12 could not be measured, 1 were not reached"));
  EXPECT_THAT(html, HasSubstr("no sandbox &lt;here&gt;"));
  EXPECT_THAT(html, HasSubstr("<td class=\"n\">0.5000</td><td>0.4000 to 0.6000</td>"));
  EXPECT_THAT(html, HasSubstr("random_option"));
  EXPECT_GE(count_of(html, "<svg"), 4u);  // accuracy, speed, memory, cost; risk and coverage
}

TEST(Report, MarkdownTablesHaveEqualRows) {
  const ReportRequest request{.runs = {run_of("old", 6, 8)}, .compare = {{"small", kHostile}}};
  const std::string text = report_markdown(report_on(request));
  size_t rows = 0;
  size_t bars = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty() || line[0] != '|') {
      bars = 0;
      continue;
    }
    const size_t here = count_of(line, "|");
    EXPECT_TRUE(bars == 0 || here == bars) << line;
    bars = here;
    ++rows;
  }
  EXPECT_EQ(rows, 5u);  // head, rule, two subjects, what guessing comes to
  EXPECT_THAT(text, HasSubstr("**+20.0 points**"));
  EXPECT_THAT(text, HasSubstr("won 2 and lost 0 of 10 items"));
  EXPECT_THAT(text, HasSubstr("gone"));
  EXPECT_THAT(text, HasSubstr("no such file"));
}

TEST(Report, JsonHoldsTheRuns) {
  const ReportRequest request{.runs = {run_of("old", 6, 8), run_of("new", 9, 7)},
                              .compare = {{"old:small", "new:small"}}};
  const auto json = nlohmann::json::parse(report_json(report_on(request)));
  EXPECT_EQ(json["schema"], "tinyarms-report/1");
  ASSERT_EQ(json["leaderboard"].size(), 4u);
  EXPECT_EQ(json["leaderboard"][0]["accuracy"], 0.9);
  ASSERT_EQ(json["comparisons"].size(), 1u);
  EXPECT_NEAR(json["comparisons"][0]["difference"].get<double>(), 0.3, 1e-12);
  EXPECT_EQ(json["comparisons"][0]["first"], "small (old)");
  auto again = parse_summary(json["runs"][1]["summary"].dump());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->results[1].subject, kHostile);
}

TEST(Report, UnknownSubjectsAndNoRunsAreRefused) {
  EXPECT_FALSE(make_report({}));
  const ReportRequest request{.runs = {run_of("old", 6, 8)}, .compare = {{"smal", kHostile}}};
  const auto report = make_report(request);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(report.error().hint, HasSubstr("`small`"));
}

}  // namespace
}  // namespace tinyarms::eval
