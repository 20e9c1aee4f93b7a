#include "engine/scheduler/prefix_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace tinyarms::engine {
namespace {

using Tokens = std::vector<PrefixTree::Token>;

TEST(PrefixTree, SharesWhatWasCopiedAndNothingElse) {
  PrefixTree tree;
  tree.open(0);
  tree.append(0, Tokens{1, 2, 3, 4});
  EXPECT_EQ(tree.match(Tokens{1, 2, 9}).length, 2u);
  tree.open(1, 0, 2);
  tree.append(1, Tokens{9});
  EXPECT_EQ(tree.cells(), 5u);
  EXPECT_EQ(tree.own_cells(0), 2u);
  EXPECT_EQ(tree.own_cells(1), 1u);
  EXPECT_EQ(tree.tokens(1), (Tokens{1, 2, 9}));
  tree.open(2);
  tree.append(2, Tokens{1, 2, 9});  // computed anew: cells of its own
  EXPECT_EQ(tree.cells(), 8u);
  EXPECT_EQ(tree.own_cells(2), 3u);
  tree.close(0);
  EXPECT_EQ(tree.cells(), 6u);
  EXPECT_EQ(tree.own_cells(1), 3u);
  tree.close(1);
  tree.close(2);
  EXPECT_EQ(tree.cells(), 0u);
  EXPECT_EQ(tree.match(Tokens{1}).sequence, -1);
}

TEST(PrefixTree, TruncatesInsideOfWhatOthersShare) {
  PrefixTree tree;
  tree.open(0);
  tree.append(0, Tokens{1, 2, 3, 4});
  tree.open(1, 0, 4);
  tree.truncate(1, 1);
  EXPECT_EQ(tree.tokens(1), (Tokens{1}));
  EXPECT_EQ(tree.tokens(0), (Tokens{1, 2, 3, 4}));
  tree.append(1, Tokens{5});
  EXPECT_EQ(tree.cells(), 5u);
  tree.truncate(1, 0);
  EXPECT_EQ(tree.length(1), 0u);
  EXPECT_EQ(tree.cells(), 4u);
}

// Against a model in which every cell is a number and a sequence a list of them.
TEST(PrefixTree, AccountsForEveryCell) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  PrefixTree tree;
  struct Cell {
    int id;
    PrefixTree::Token token;
  };
  std::map<int, std::vector<Cell>> model;
  int next_cell = 0;
  for (int step = 0; step < 3000; ++step) {
    const int sequence = static_cast<int>(random() % 6);
    const unsigned action = random() % 4;
    if (!model.contains(sequence)) {
      const int from = static_cast<int>(random() % 6);
      if (action % 2 == 0 || !model.contains(from)) {
        tree.open(sequence);
        model[sequence] = {};
      } else {
        const size_t length = random() % (model[from].size() + 1);
        tree.open(sequence, from, length);
        model[sequence].assign(model[from].begin(),
                               model[from].begin() + static_cast<std::ptrdiff_t>(length));
      }
    } else if (action < 2) {
      Tokens tokens(random() % 4);
      for (auto& token : tokens) {
        token = static_cast<PrefixTree::Token>(random() % 2);
        model[sequence].push_back({next_cell++, token});
      }
      tree.append(sequence, tokens);
    } else if (action == 2) {
      const size_t length = random() % (model[sequence].size() + 1);
      tree.truncate(sequence, length);
      model[sequence].resize(length);
    } else {
      tree.close(sequence);
      model.erase(sequence);
    }
    std::map<int, int> holders;
    for (const auto& [id, cells] : model) {
      for (const Cell& cell : cells) ++holders[cell.id];
    }
    ASSERT_EQ(tree.cells(), holders.size()) << step;
    Tokens wanted(5);
    for (auto& token : wanted) token = static_cast<PrefixTree::Token>(random() % 2);
    size_t longest = 0;
    for (const auto& [id, cells] : model) {
      ASSERT_EQ(tree.length(id), cells.size()) << step;
      size_t own = 0;
      size_t same = 0;
      for (const Cell& cell : cells) own += holders[cell.id] == 1 ? 1 : 0;
      while (same < cells.size() && same < wanted.size() && cells[same].token == wanted[same]) {
        ++same;
      }
      longest = std::max(longest, same);
      ASSERT_EQ(tree.own_cells(id), own) << step;
    }
    ASSERT_EQ(tree.match(wanted).length, longest) << step;
  }
}

}  // namespace
}  // namespace tinyarms::engine
