// For tests: the made-up model of tiny_model.h, loaded.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "base/temporary_folder.h"
#include "engine/language_model.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine::testing {

class TinyModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_model(folder_ / "tiny.gguf");
    auto model = LanguageModel::load(folder_ / "tiny.gguf");
    ASSERT_TRUE(model) << model.error().message();
    model_ = std::move(*model);
  }

  TemporaryFolder folder_;
  std::unique_ptr<const LanguageModel> model_;
};

}  // namespace tinyarms::engine::testing
