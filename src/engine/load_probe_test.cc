#include "engine/load_probe.h"

#include <gtest/gtest.h>

#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

TEST(LoadProbe, AWholeModelLoads) {
  const TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const StopFlag stop;
  auto probed = probe_loading(folder / "tiny.gguf", stop);
  EXPECT_TRUE(probed) << probed.error().message();
}

TEST(LoadProbe, WhatTheEngineRefusesIsToldInItsWords) {
  const TemporaryFolder folder;
  testing::write_tiny_model(folder / "odd.gguf", {.architecture = "nosucharchitecture"});
  const StopFlag stop;
  auto probed = probe_loading(folder / "odd.gguf", stop);
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().code, ErrorCode::Unsupported);
  EXPECT_NE(probed.error().what.find("nosucharchitecture"), std::string::npos);
}

TEST(LoadProbe, DamageDoesNotReachTheEngine) {
  const TemporaryFolder folder;
  testing::write_bytes(folder / "bad.gguf", "GGUF");
  const StopFlag stop;
  EXPECT_EQ(probe_loading(folder / "bad.gguf", stop).error().code, ErrorCode::Corrupt);
}

TEST(LoadProbe, EndsWhenAsked) {
  const TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const StopFlag stop;
  auto probed = probe_loading(folder / "tiny.gguf", stop, {.seconds = -1});
  ASSERT_FALSE(probed);
  EXPECT_NE(probed.error().what.find("did not end"), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::engine
