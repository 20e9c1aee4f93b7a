#include "questions/arithmetic.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "questions/number_base.h"
#include "questions/rational.h"

namespace tinyarms::questions {
namespace {

std::string evaluate(std::string_view expression) {
  const auto result = evaluate_arithmetic(expression);
  return result ? result->relation + " " + result->value : "(abstains)";
}

TEST(Arithmetic, IsExact) {
  EXPECT_EQ(evaluate("17*23+4"), "= 395");
  EXPECT_EQ(evaluate("0.1 + 0.2"), "= 0.3");
  EXPECT_EQ(evaluate("1/8 - 1/4"), "= -0.125");
  EXPECT_EQ(evaluate("2^100"), "= 1267650600228229401496703205376");
  EXPECT_EQ(evaluate("2**-2"), "= 0.25");
  EXPECT_EQ(evaluate("(1/3) * 3"), "= 1");
  EXPECT_EQ(evaluate("2 + 3 * 4 - 6 / 2"), "= 11");
  EXPECT_EQ(evaluate("8 / 4 / 2"), "= 1");
  EXPECT_EQ(evaluate("10 - 4 - 3"), "= 3");
  EXPECT_EQ(evaluate("-3 * -(2 + 1)"), "= 9");
  EXPECT_EQ(evaluate("sqrt(2.25)"), "= 1.5");
  EXPECT_EQ(evaluate("4^0.5"), "= 2");
  EXPECT_EQ(evaluate("20!"), "= 2432902008176640000");
  EXPECT_EQ(evaluate("12.5% of 80"), "= 10");
  EXPECT_EQ(evaluate("abs(3 - 5)"), "= 2");
  EXPECT_EQ(evaluate("7 × 6"), "= 42");
  EXPECT_EQ(evaluate("17 x 4"), "= 68");
  EXPECT_EQ(evaluate("three"), "(abstains)");
}

TEST(Arithmetic, ReadsWords) {
  EXPECT_EQ(evaluate("7 plus 5"), "= 12");
  EXPECT_EQ(evaluate("2 to the power of 8"), "= 256");
  EXPECT_EQ(evaluate("9 squared"), "= 81");
  EXPECT_EQ(evaluate("the square root of 81"), "= 9");
  EXPECT_EQ(evaluate("factorial of 5"), "= 120");
  EXPECT_EQ(evaluate("17 modulo 5"), "= 2");
}

TEST(Arithmetic, SaysWhereItRounds) {
  EXPECT_EQ(evaluate("2/3"), "≈ 0.666666666667");
  EXPECT_EQ(evaluate("sqrt(2) * 2"), "≈ 2.82842712475");
}

TEST(Arithmetic, KnowsDivisionByZero) {
  for (const char* expression : {"1/0", "0/0", "5 mod 0", "1/(2-2)", "0^-1", "3 + 4/0"}) {
    EXPECT_EQ(evaluate(expression), "is undefined (division by zero)") << expression;
  }
}

TEST(Arithmetic, AbstainsFromWhatIsDisputedOrNoExpression) {
  for (const char* expression :
       {"", " ", "5", "-5", "(5)", "+", "1 +", "* 2", "(1+2", "1+2)", "6/2(1+2)", "2(3)", "-2^2",
        "2^3^2", "-3 mod 2", "7.5 mod 2", "10 mod 3 * 2", "007 + 1", "1,000 * 3", "1e3 + 1",
        "0x10 + 1", "2x3", "1920x1080", "1..2 + 1", "1.2.3 + 1", ".5 + 1", "1. + 2", "2 -- 3",
        "2 - -3", "5!!", "-5!", "0.5!", "34!", "sqrt(-1)", "0^0", "2^2000", "10^40", "7 // 2",
        "2 plus 3 times 4", "square root of 16 plus 9", "15% of 240 + 10", "15%", "240 + 15%",
        "5 km + 3 km", "x + 1", "2 + two", "1 = 1", "2 < 3", "8^(1/3)", "1/(sqrt(2)-sqrt(2))",
        "3-2-1 contact", "99999999999999999999999999999999999999999 + 1"}) {
    EXPECT_EQ(evaluate(expression), "(abstains)") << expression;
  }
}

// An expression tree printed with all its parentheses, and its value by plain integers.
struct Random {
  std::mt19937 engine;

  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine); }

  std::pair<std::string, int64_t> expression(int depth) {
    if (depth == 0) {
      const int number = below(20);
      return {std::to_string(number), number};
    }
    const auto [left, a] = expression(depth - 1);
    const auto [right, b] = expression(below(depth));
    switch (below(3)) {
      case 0: return {fmt::format("({} + {})", left, right), a + b};
      case 1: return {fmt::format("({} - {})", left, right), a - b};
      default: return {fmt::format("({}*{})", left, right), a * b};
    }
  }
};

TEST(Arithmetic, AgreesWithIntegersOnRandomExpressions) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random{std::mt19937(seed)};
  for (int i = 0; i < 2000; ++i) {
    const auto [text, value] = random.expression(1 + random.below(4));
    EXPECT_EQ(evaluate(text), fmt::format("= {}", value)) << text;
  }
}

TEST(Arithmetic, RationalsObeyTheFieldLaws) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random{std::mt19937(seed)};
  const auto number = [&] {
    return *Rational::make(random.below(2001) - 1000, 1 + random.below(99));
  };
  for (int i = 0; i < 2000; ++i) {
    const Rational a = number();
    const Rational b = number();
    const Rational c = number();
    EXPECT_EQ(*multiply(a, *add(b, c)), *add(*multiply(a, b), *multiply(a, c)));
    EXPECT_EQ(*subtract(*add(a, b), b), a);
    if (!b.is_zero()) {
      EXPECT_EQ(*multiply(*divide(a, b), b), a);
    }
    EXPECT_EQ(square_root(*multiply(a, a)), a.is_negative() ? *multiply(a, -1) : a);
  }
}

TEST(Rational, ReadsAndRefuses) {
  EXPECT_EQ(*Rational::parse("-0.50"), *Rational::make(-1, 2));
  EXPECT_EQ(*Rational::parse("5/9"), *Rational::make(5, 9));
  for (const char* text : {"", "-", ".", "1.", "1.2.3", "a", "1/0", "1e5",
                           "999999999999999999999999999999999999999999"}) {
    EXPECT_FALSE(Rational::parse(text)) << text;
  }
}

TEST(NumberBase, GoesThereAndBack) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 500; ++i) {
    const std::string value = std::to_string(random() >> (random() % 64));
    for (const int base : {2, 8, 16}) {
      const auto there = convert_base({value, 10, base});
      ASSERT_TRUE(there) << value;
      const auto back = convert_base({there->result, 0, 10});
      ASSERT_TRUE(back) << there->result;
      EXPECT_EQ(back->result, value);
    }
  }
}

}  // namespace
}  // namespace tinyarms::questions
