#include "service/repository_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/test_folder.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

class RepositoryStateTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "r/.git/refs/heads");
    fs::create_directories(folder_ / "r/src/deep");
    write_bytes(folder_ / "r/.git/HEAD", "ref: refs/heads/main\n");
    write_bytes(folder_ / "r/.git/refs/heads/main", std::string(40, 'a') + "\n");
  }
  std::string state() const { return repository_state(folder_ / "r/src/deep").state; }

  storage::TestFolder folder_;
};

TEST_F(RepositoryStateTest, IsThatOfTheRepositoryAround) {
  const RepositoryState found = repository_state(folder_ / "r/src/deep");
  EXPECT_EQ(found.root, (folder_ / "r").string());
  EXPECT_EQ(found.state.size(), 16U);
  EXPECT_EQ(found.state, repository_state(folder_ / "r").state);
  EXPECT_EQ(repository_state("").root, "");
}

TEST_F(RepositoryStateTest, ChangesWithCommitBranchAndWhatIsStaged) {
  const std::string before = state();
  EXPECT_EQ(state(), before);
  write_bytes(folder_ / "r/.git/refs/heads/main", std::string(40, 'b'));
  const std::string committed = state();
  EXPECT_NE(committed, before);
  write_bytes(folder_ / "r/.git/index", "DIRC and more");
  const std::string staged = state();
  EXPECT_NE(staged, committed);
  write_bytes(folder_ / "r/.git/HEAD", std::string(40, 'b'));
  EXPECT_NE(state(), staged) << "detached";
}

TEST_F(RepositoryStateTest, FollowsAWorktreeToItsRepository) {
  const fs::path own = folder_ / "r/.git/worktrees/w";
  fs::create_directories(own);
  fs::create_directories(folder_ / "w");
  write_bytes(folder_ / "w/.git", "gitdir: " + own.string() + "\n");
  write_bytes(own / "HEAD", "ref: refs/heads/side\n");
  write_bytes(own / "commondir", "../..\n");
  write_bytes(folder_ / "r/.git/refs/heads/side", std::string(40, 'c'));
  const RepositoryState before = repository_state(folder_ / "w");
  EXPECT_EQ(before.root, (folder_ / "w").string());
  write_bytes(folder_ / "r/.git/refs/heads/side", std::string(40, 'd'));
  EXPECT_NE(repository_state(folder_ / "w").state, before.state);
}

TEST_F(RepositoryStateTest, ReadsNothingOutsideForAHostileReference) {
  write_bytes(folder_ / "r/.git/secret", "one");
  write_bytes(folder_ / "r/.git/HEAD", "ref: refs/../secret");
  const std::string before = state();
  write_bytes(folder_ / "r/.git/secret", "two");
  EXPECT_EQ(state(), before);
  write_bytes(folder_ / "r/.git/HEAD", std::string(1 << 20, 'x'));
  EXPECT_EQ(state().size(), 16U);
}

TEST_F(RepositoryStateTest, DoesNotWaitForAPipe) {
  fs::remove(folder_ / "r/.git/HEAD");
  ASSERT_EQ(::mkfifo((folder_ / "r/.git/HEAD").c_str(), 0600), 0);
  EXPECT_EQ(state().size(), 16U);
  fs::create_directories(folder_ / "p");
  ASSERT_EQ(::mkfifo((folder_ / "p/.git").c_str(), 0600), 0);
  EXPECT_EQ(repository_state(folder_ / "p").root, "");
}

}  // namespace
}  // namespace tinyarms::service
