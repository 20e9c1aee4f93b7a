#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/utf8.h"
#include "plots/svg.h"
#include "plots/terminal_plot.h"

namespace tinyarms::plots {
namespace {

TEST(Ticks, AreRoundAndInside) {
  EXPECT_EQ(ticks({0, 1}, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(ticks({0, 100}, 4), (std::vector<double>{0, 50, 100}));
  EXPECT_EQ(ticks({3, 3}, 4), std::vector<double>{3});
  EXPECT_EQ(logarithmic_ticks({0.5, 20}), (std::vector<double>{0.5, 1, 2, 5, 10, 20}));
  EXPECT_EQ(logarithmic_ticks({-1, 20}), std::vector<double>{-1});
}

TEST(Svg, TextFromOutsideIsEscaped) {
  const std::string picture =
      svg(BarChart{.title = "<script>alert(1)</script>",
                   .unit = "%",
                   .rows = {{.label = "a & \"b\"\x01", .value = 50}}});
  EXPECT_EQ(picture.find("<script"), std::string::npos);
  EXPECT_NE(picture.find("a &amp; &quot;b&quot; "), std::string::npos);
  EXPECT_EQ(picture.find('\x01'), std::string::npos);
}

TEST(Svg, BarsAreAsLongAsTheirValues) {
  const std::string picture = svg(BarChart{
      .title = "t", .unit = "%", .rows = {{.label = "a", .value = 25}}, .maximum = 100.0});
  EXPECT_NE(picture.find("width=\"75.0\""), std::string::npos);  // a quarter of 300
}

TEST(Svg, WhatIsNoNumberIsLeftOut) {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const XyChart chart{
      .title = "t",
      .x = {.label = "x", .range = {}, .logarithmic = true},
      .y = {.label = "y"},
      .series = {{.name = "s", .points = {{1, 2}, {nothing, 1}, {2, INFINITY}, {-1, 1}, {10, 4}}}}};
  const std::string picture = svg(chart);
  EXPECT_EQ(picture.find("nan"), std::string::npos);
  EXPECT_EQ(picture.find("inf"), std::string::npos);
  size_t dots = 0;
  for (size_t at = picture.find("<circle"); at != std::string::npos;
       at = picture.find("<circle", at + 1)) {
    ++dots;
  }
  EXPECT_EQ(dots, 2u);
  EXPECT_EQ(svg(XyChart{.title = "empty", .x = {}, .y = {}, .series = {}}).find("nan"),
            std::string::npos);
}

TEST(TextPlot, BarsAndTheirIntervals) {
  const std::string text = text_plot(BarChart{.title = "accuracy",
                                              .unit = "%",
                                              .rows = {{.label = "small",
                                                        .value = 50,
                                                        .interval = Range{40, 60}},
                                                       {.label = "größer", .value = 100}},
                                              .maximum = 100.0},
                                     {.columns = 54});
  EXPECT_EQ(text,
            "accuracy\n"
            "small  ██████████           50.0 % [40.0, 60.0]\n"
            "größer ████████████████████ 100.0 %\n");
}

TEST(TextPlot, ARisingLineRises) {
  const XyChart chart{.title = "t",
                      .x = {.label = "x", .range = Range{0, 1}},
                      .y = {.label = "y", .range = Range{0, 1}},
                      .series = {{.name = "s", .points = {{0, 0}, {1, 1}}}}};
  const std::string text = text_plot(chart, {.columns = 20, .rows = 2});
  EXPECT_FALSE(find_invalid_utf8(text));
  // Empty on the left of the first row, on the right of the second.
  const std::string empty = "\xE2\xA0\x80";
  EXPECT_NE(text.find("1 │" + empty), std::string::npos);
  EXPECT_NE(text.find(empty + "\n" + std::string(10, ' ') + "0"), std::string::npos);
  EXPECT_EQ(text.find("0 │" + empty), std::string::npos);
}

TEST(TextPlot, LettersTellSeriesApart) {
  const XyChart chart{
      .title = "t",
      .x = {.label = "x", .range = Range{0, 1}},
      .y = {.label = "y", .range = Range{0, 1}},
      .series = {{.name = "line", .points = {{0, 0}, {0.5, 0.5}, {1, 1}}},
                 {.name = "points", .points = {{0.1, 0.9, {}, "here"}}, .line = false}}};
  const std::string text = text_plot(chart, {.columns = 30, .rows = 4});
  EXPECT_NE(text.find("a line  b here"), std::string::npos);
  EXPECT_LT(text.find('b'), text.find("a line"));
}

}  // namespace
}  // namespace tinyarms::plots
