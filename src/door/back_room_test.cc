#include "door/back_room.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace tinyarms::door {
namespace {

TEST(BackRoom, RunsErrandsInOrderAndRefusesWhenFull) {
  BackRoom room(2);
  std::promise<void> begun;
  std::promise<void> gate;
  std::vector<int> done;
  std::promise<void> last;
  ASSERT_TRUE(room.submit([&] {
    begun.set_value();
    gate.get_future().wait();
    done.push_back(1);
  }));
  begun.get_future().wait();  // it is no longer in the queue
  EXPECT_TRUE(room.submit([&] { done.push_back(2); }));
  EXPECT_TRUE(room.submit([&] {
    done.push_back(3);
    last.set_value();
  }));
  EXPECT_FALSE(room.submit([&] { done.push_back(4); }));
  gate.set_value();
  last.get_future().wait();
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace tinyarms::door
