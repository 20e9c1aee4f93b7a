// Test support: a task of small sums, a subject that adds badly on purpose, and a judge that runs
// nothing.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "base/temporary_folder.h"
#include "eval/subject.h"
#include "eval/task.h"
#include "sandbox/judge.h"

namespace tinyarms::eval::testing {

using tinyarms::TemporaryFolder;

class IdleJudge final : public sandbox::Judge {
 public:
  Result<void> available(std::string_view) override { return refusal(); }
  Result<sandbox::Outcome> run(const sandbox::Program&) override { return refusal(); }

 private:
  static Error refusal() { return Error{ErrorCode::Unsupported, "no sandbox here", "", ""}; }
};

// Items "0" … : what is n + n?
class SumTask final : public Task {
 public:
  explicit SumTask(int count) : count_(count) {}
  std::string_view name() const override { return "sums"; }
  std::string_view description() const override { return "small sums"; }
  std::vector<std::string> files(const std::filesystem::path&) const override { return {}; }
  Result<std::vector<Item>> read(const std::filesystem::path&) const override {
    std::vector<Item> items;
    for (int i = 0; i < count_; ++i) {
      Item item;
      item.id = fmt::format("{}", i);
      item.group = i % 2 == 0 ? "even" : "odd";
      item.messages = {{cascade::Role::User, fmt::format("{}", i)}};
      item.reference = fmt::format("{}", 2 * i);
      items.push_back(std::move(item));
    }
    return items;
  }
  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge&) const override {
    if (answer == "unscorable") {
      return Error{ErrorCode::Unsupported, "no toolchain", "", "install it"};
    }
    return Verdict{answer == item.reference, answer == item.reference ? "passed" : "wrong answer"};
  }

 private:
  int count_;
};

// Right but for every third item; `before` sees each item first and may fail it.
class AddingSubject final : public Subject {
 public:
  using Hook = std::function<Result<void>(const Item&)>;
  explicit AddingSubject(Hook before = {}) : before_(std::move(before)) {}
  std::string name() const override { return "adder"; }
  std::string fingerprint() const override { return "adder 1"; }
  Result<Response> answer(const Item& item, const Sampling&, const StopFlag&) override {
    ++asked;
    if (before_) {
      if (auto fine = before_(item); !fine) return fine.error();
    }
    const int n = std::stoi(item.id);
    TierResponse draft;
    draft.tier = "l2";
    draft.answer = "no idea";
    draft.seconds = 0.25;
    TierResponse kept = draft;
    kept.tier = "l3";
    kept.answer = fmt::format("{}", n % 3 == 2 ? 2 * n + 1 : 2 * n);
    kept.evidence.set("p_mean", n % 3 == 2 ? 0.25 : 0.75);
    kept.completion_tokens = 3;
    return Response{{draft, kept}};
  }

  std::atomic<int> asked{0};

 private:
  Hook before_;
};

}  // namespace tinyarms::eval::testing
