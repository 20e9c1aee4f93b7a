#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "sandbox/bubblewrap_judge.h"
#include "sandbox/toolchain.h"

namespace tinyarms::sandbox {
namespace {

using ::testing::HasSubstr;
using End = Outcome::End;

class JudgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (auto sound = check(); !sound) {
      GTEST_SKIP() << "no sandbox on this machine: " << sound.error().message();
    }
    JudgeOptions options;
    options.sandboxes = 2;
    options.python.cpu_seconds = 2;
    options.python.wall_seconds = 4;
    judge_ = make_judge(options);
  }

  Outcome run(const Program& program) {
    auto outcome = judge_->run(program);
    EXPECT_TRUE(outcome) << outcome.error().message();
    return outcome ? *outcome : Outcome{};
  }
  Outcome python(std::string source, std::string input = {}) {
    return run({.language = "python", .source = std::move(source), .input = std::move(input)});
  }
  Outcome tested(std::string source, std::string tests) {
    return run({.language = "python", .source = std::move(source), .tests = std::move(tests)});
  }

  std::unique_ptr<Judge> judge_;
};

TEST_F(JudgeTest, RunsAProgramAsTheInterpreterWould) {
  const Outcome outcome = python(
      "import sys\nname = input()\nprint(f'hello {name}', sys.stdin.read())\n"
      "if __name__ == '__main__':\n  print('oops', file=sys.stderr)\n  sys.exit(3)\n",
      "Ann\nrest");
  EXPECT_EQ(outcome.end, End::Exited);
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.output, "hello Ann rest\n");
  EXPECT_EQ(outcome.errors, "oops\n");
}

TEST_F(JudgeTest, TellsHowAProgramEnded) {
  EXPECT_EQ(python("1 / 0").exit_code, 1);
  EXPECT_THAT(python("1 / 0").errors, HasSubstr("ZeroDivisionError"));
  EXPECT_THAT(python("def f(:").errors, HasSubstr("SyntaxError"));
  EXPECT_EQ(python("while True: pass").end, End::TimedOut);
  EXPECT_EQ(python("import time; time.sleep(60)").end, End::TimedOut);
  EXPECT_EQ(python("x = bytearray(8 << 30)").end, End::MemoryExceeded);
  EXPECT_EQ(python("while True: print('x' * 1000)").end, End::OutputExceeded);
  const Outcome crash = python("import ctypes; ctypes.string_at(1)");
  EXPECT_EQ(crash.end, End::Signalled);
  EXPECT_EQ(crash.exit_code, 11);
}

TEST_F(JudgeTest, ProgramsThatWaitForThreadsAndCloseThingsAtExit) {
  const Outcome outcome = python(
      "import threading, time, atexit\natexit.register(lambda: print('last'))\n"
      "threading.Thread(target=lambda: (time.sleep(0.05), print('thread'))).start()\n");
  EXPECT_EQ(outcome.output, "thread\nlast\n");
}

TEST_F(JudgeTest, LongInputAndInvalidUtf8Output) {
  const std::string input(3 << 20, 'a');
  EXPECT_EQ(python("import sys; print(len(sys.stdin.read()))", input).output, "3145728\n");
  EXPECT_EQ(python("pass", input).exit_code, 0);
  EXPECT_EQ(python("import sys; sys.stdout.buffer.write(b'a\\xffb\\xe2\\x82')").output,
            "a\xEF\xBF\xBD" "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_F(JudgeTest, TestsSeeWhatTheSolutionDefines) {
  EXPECT_TRUE(tested("def add(a, b): return a + b", "assert add(1, 2) == 3").passed());
  const Outcome wrong = tested("def add(a, b): return a - b", "assert add(1, 2) == 3");
  EXPECT_FALSE(wrong.passed());
  EXPECT_THAT(wrong.errors, HasSubstr("AssertionError"));
  EXPECT_THAT(tested("", "assert add(1, 2) == 3").errors, HasSubstr("NameError"));
  EXPECT_THAT(tested("def add(:", "assert add(1, 2) == 3").errors, HasSubstr("SyntaxError"));
  EXPECT_EQ(tested("def f():\n  while True: pass", "f()").end, End::TimedOut);
  EXPECT_EQ(tested("def f(): return [0] * (4 << 30)", "f()").end, End::MemoryExceeded);
}

// What passes between the processes must be what Python itself would compare.
TEST_F(JudgeTest, ValuesCrossUnchanged) {
  const Outcome outcome = tested(
      "def same(x): return x\n",
      "import datetime, decimal, fractions, collections\n"
      "nan = same(float('nan'))\nassert nan != nan\n"
      "for x in [None, True, 0, -1, 2**70, -2**9000, 1.5, 1e308, float('inf'), -0.0, 'é\\ud800',\n"
      "          b'\\x00\\xff', bytearray(b'x'), (), (1,), [1, [2, (3, None)]], {1, 2},\n"
      "          frozenset({(1, 2)}), {'a': [1], (1, 2): {3}}, 1 + 2j, range(1, 9, 2),\n"
      "          decimal.Decimal('1.10'), fractions.Fraction(1, 3), datetime.date(2020, 1, 2),\n"
      "          datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.timedelta(1, 2, 3),\n"
      "          collections.deque([1, 2])]:\n"
      "    y = same(x)\n    assert y == x and type(y) is type(x), (x, y)\n"
      "assert same(True) is True and type(same(1)) is int and type(same(1.0)) is float\n");
  EXPECT_TRUE(outcome.passed()) << outcome.errors;
}

TEST_F(JudgeTest, ObjectsExceptionsGeneratorsAndCallbacksWork) {
  const Outcome outcome = tested(
      "class Node:\n  def __init__(self, value): self.value, self.next = value, None\n"
      "def total(node): return node.value + (total(node.next) if node.next else 0)\n"
      "def count():\n  n = 0\n  while True:\n    yield n\n    n += 1\n"
      "def twice(f, x): return f(f(x))\n"
      "def double(xs):\n  for i in range(len(xs)): xs[i] *= 2\n"
      "def bad(): raise ValueError('no')\n"
      "def leave(): raise SystemExit(0)\n"
      "LIMIT = 7\n",
      "a, b = Node(1), Node(2)\na.next = b\nassert total(a) == 3 and a.next == b and a != b\n"
      "import itertools\nassert list(itertools.islice(count(), 3)) == [0, 1, 2]\n"
      "assert twice(lambda x: x * 3, 2) == 18\n"
      "xs = [1, 2]\ndouble(xs)\nassert xs == [2, 4]\nassert LIMIT == 7\n"
      "for f, kind in ((bad, ValueError), (leave, Exception)):\n"
      "  try: f()\n  except kind: pass\n  else: assert False\n");
  EXPECT_TRUE(outcome.passed()) << outcome.errors;
}

TEST_F(JudgeTest, AVerdictRepeats) {
  const std::string source = "import random\nprint(random.random(), hash('x'), {'a', 'b', 'c'})";
  const std::string first = python(source).output;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(python(source).output, first);
  const auto other = make_judge();
  EXPECT_EQ(other->run({.language = "python", .source = source})->output, first);
}

TEST_F(JudgeTest, ManyThreadsMayAskAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        right += python("print(" + std::to_string(t * 100 + i) + ")").output ==
                 std::to_string(t * 100 + i) + "\n";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 30);
}

TEST_F(JudgeTest, OtherLanguagesCompileRunAndFail) {
  struct Case {
    const char* language;
    const char* good;
    const char* bad;
  };
  for (const Case& c : {
           Case{"cpp", "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n; }",
                "int main() { return x; }"},
           Case{"java",
                "import java.util.*; class Helper {} class Problem { /* a class and more */ "
                "public static void main(String[] a) { "
                "System.out.print(new Scanner(System.in).nextInt()); } }",
                "class Problem { public static void main(String[] a) { return 1; } }"},
           Case{"javascript", "process.stdout.write(require('fs').readFileSync(0, 'utf8'))",
                "throw new Error('x')"},
       }) {
    if (auto there = judge_->available(c.language); !there) {
      std::cout << "not run: " << there.error().message() << "\n";
      continue;
    }
    const Outcome good = run({.language = c.language, .source = c.good, .input = "42"});
    EXPECT_TRUE(good.passed()) << good.errors;
    EXPECT_EQ(good.output, "42") << c.language;
    const Outcome bad = run({.language = c.language, .source = c.bad});
    EXPECT_FALSE(bad.passed());
    EXPECT_FALSE(bad.errors.empty());
  }
}

TEST(Toolchain, UnknownLanguagesAndBadNamesAreErrors) {
  const auto unknown = toolchain_available("cobol");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(unknown.error().message(), HasSubstr("cobol"));
  for (const char* name : {"../x", "/etc/x", "", "a/../../x"}) {
    Program program{.language = "cpp", .source = "int main() {}"};
    program.files = {{name, ""}};
    const auto recipe = recipe_for(program, {});
    ASSERT_FALSE(recipe) << name;
  }
}

}  // namespace
}  // namespace tinyarms::sandbox
