#include "index/vector_index.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>
#include <set>

#include "index/checked_stamp.h"
#include "index/scan.h"
#include "index/vector_records.h"

namespace tinyarms::index {
namespace {

namespace fs = std::filesystem;

class VectorIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("tinyarms-index-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    file_ = folder_ / "vectors";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<VectorIndex> open(size_t dimensions, size_t scanned = 0) {
    auto opened = VectorIndex::open(file_, {.dimensions = dimensions,
                                            .scan_dimensions = scanned,
                                            .model = "test"});
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }

  fs::path folder_;
  fs::path file_;
};

// Directions around some centres, as embeddings lie; the front carries most of the length.
std::vector<float> clustered(size_t rows, size_t size, unsigned seed) {
  std::mt19937 centres(7);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centre(50 * size);
  for (float& value : centre) value = normal(centres);
  std::vector<float> values(rows * size);
  for (size_t row = 0; row < rows; ++row) {
    const size_t near = random() % 50;
    for (size_t i = 0; i < size; ++i) {
      const float fade = 1.0f / (1.0f + static_cast<float>(i) / 24.0f);
      values[row * size + i] = (centre[near * size + i] + 0.7f * normal(random)) * fade;
    }
  }
  return values;
}

std::vector<int64_t> numbers(size_t count, int64_t first = 0) {
  std::vector<int64_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

double recall_at_10(const VectorIndex& index, const std::vector<float>& queries, size_t size) {
  size_t found = 0, wanted = 0;
  for (size_t q = 0; q < queries.size() / size; ++q) {
    const auto query = std::span(queries).subspan(q * size, size);
    auto exact = index.search_in_full(query, 10);
    auto fast = index.search(query, {.count = 10});
    EXPECT_TRUE(exact && fast);
    std::set<int64_t> ids;
    for (const Match& match : *exact) ids.insert(match.id);
    for (const Match& match : *fast) found += ids.count(match.id);
    wanted += ids.size();
  }
  return static_cast<double>(found) / static_cast<double>(wanted);
}

TEST_F(VectorIndexTest, FindsWhatAFullComparisonFinds) {
  for (const size_t size : {1u, 3u, 30u, 128u}) {
    fs::remove(file_);
    auto index = open(size);
    const auto vectors = clustered(3000, size, 1);
    ASSERT_TRUE(index->append(numbers(3000), vectors));
    const auto queries = clustered(20, size, 2);
    EXPECT_GE(recall_at_10(*index, queries, size), size < 4 ? 0.0 : 0.99) << size;
    auto own = index->search(std::span(vectors).first(size), {.count = 1});
    ASSERT_TRUE(own);
    EXPECT_NEAR((*own)[0].cosine, 1, 1e-5);
  }
}

TEST_F(VectorIndexTest, AFrontOfTheVectorsFindsWhatAllOfThemFind) {
  auto index = open(256, 64);
  ASSERT_TRUE(index->append(numbers(5000), clustered(5000, 256, 1)));
  EXPECT_GE(recall_at_10(*index, clustered(20, 256, 2), 256), 0.95);
}

TEST_F(VectorIndexTest, EveryKernelCountsTheSame) {
  std::vector<const ScanKernel*> kernels = {&kGenericScan, &scan_kernel()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(&kAvx2Scan);
#endif
  for (const size_t size : {8u, 24u, 64u, 104u, 1024u}) {
    std::mt19937 random(static_cast<unsigned>(size));
    const size_t blocks = 9;
    std::vector<uint8_t> codes(codes_bytes(blocks * kBlockRows, size) + 8192);
    for (auto& code : codes) code = static_cast<uint8_t>(random() % 2 == 0 ? 255 : random());
    std::vector<float> scales(blocks * kBlockRows, 0.01f);
    scales[5] = std::numeric_limits<float>::quiet_NaN();
    std::vector<int8_t> query(size);
    for (auto& value : query) value = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
    for (size_t i = 0; i < 8; ++i) query[i] = i % 2 == 0 ? kQueryMax : -kQueryMax;  // the largest
    float offset = 0;
    for (const int8_t value : query) offset += kMiddleCode * static_cast<float>(value);
    std::vector<std::pair<uint32_t, float>> expected;
    for (const ScanKernel* kernel : kernels) {
      std::vector<uint32_t> rows(blocks * kBlockRows);
      std::vector<float> scores(rows.size());
      const ScanEnd end = kernel->scan({.codes = codes.data(), .scales = scales.data(),
                                        .query = query.data(), .size = size, .blocks = blocks,
                                        .offset = offset, .score_min = -20,
                                        .rows = rows.data(), .scores = scores.data(),
                                        .room = rows.size()});
      EXPECT_EQ(end.blocks, blocks);
      std::vector<std::pair<uint32_t, float>> got;
      for (size_t i = 0; i < end.found; ++i) got.emplace_back(rows[i], scores[i]);
      if (expected.empty()) expected = got;
      EXPECT_EQ(got, expected) << kernel->name << ", " << size;
      for (const auto& [row, score] : got) EXPECT_NE(row, 5u);
    }
    EXPECT_FALSE(expected.empty());
  }
}

TEST_F(VectorIndexTest, KeepsRowsRemovalsAndReplacements) {
  const auto vectors = clustered(100, 8, 1);
  {
    auto index = open(8);
    ASSERT_TRUE(index->append(numbers(100), vectors));
    auto removed = index->remove(std::vector<int64_t>{3, 4, 1000});
    ASSERT_TRUE(removed);
    EXPECT_EQ(*removed, 2u);
    ASSERT_TRUE(index->append(std::vector<int64_t>{7}, std::span(vectors).first(8)));
    EXPECT_EQ(index->size(), 98u);
  }
  for (int pass = 0; pass < 2; ++pass) {
    auto index = open(8);
    EXPECT_EQ(index->size(), 98u);
    auto found = index->search(std::span(vectors).first(8), {.count = 98});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 98u);
    std::set<int64_t> ids;
    for (const Match& match : *found) {
      EXPECT_TRUE(ids.insert(match.id).second);
      EXPECT_TRUE(match.id != 3 && match.id != 4);
      if (match.id == 7 || match.id == 0) {
        EXPECT_NEAR(match.cosine, 1, 1e-5);
      }
    }
    if (pass == 0) {
      EXPECT_EQ(index->rows(), 101u);
      ASSERT_TRUE(index->compact());
      EXPECT_EQ(index->rows(), 98u);
    }
  }
}

TEST_F(VectorIndexTest, RefusesWhatIsNoDirection) {
  auto index = open(4);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float endless = std::numeric_limits<float>::infinity();
  const std::vector<int64_t> id = {1};
  for (const std::vector<float>& bad :
       {std::vector<float>{0, 0, 0, 0}, {1, nan, 0, 0}, {endless, 0, 0, 0}, {1, 2, 3}}) {
    auto refused = index->append(id, bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_FALSE(index->search(bad, {}));
  }
  EXPECT_FALSE(index->append(std::vector<int64_t>{1, 1}, std::vector<float>(8, 1.0f)));
  EXPECT_EQ(index->size(), 0u);
  auto none = index->search(std::vector<float>{1, 0, 0, 0}, {});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST_F(VectorIndexTest, RefusesAnotherModelOrSize) {
  { ASSERT_TRUE(open(8)->append(numbers(5), clustered(5, 8, 1))); }
  auto other = VectorIndex::open(file_, {.dimensions = 8, .model = "other"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::InvalidArgument);
  EXPECT_FALSE(VectorIndex::open(file_, {.dimensions = 16, .model = "test"}));
  EXPECT_FALSE(VectorIndex::open(file_, {.dimensions = 0, .model = "test"}));
  EXPECT_EQ(open(8)->size(), 5u);  // and it is as it was
}

TEST_F(VectorIndexTest, AFileOfAnotherVersionIsCalledThat) {
  { ASSERT_TRUE(open(8)->append(numbers(5), clustered(5, 8, 1))); }
  FileHeader header{};
  std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  header.version = kFormatVersion - 1;
  header.checksum =
      checksum({reinterpret_cast<const char*>(&header), offsetof(FileHeader, checksum)});
  file.seekp(0);
  file.write(reinterpret_cast<const char*>(&header), sizeof header);
  file.close();
  auto read = VectorIndex::open(file_, {.dimensions = 8, .model = "test", .writable = false});
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("another version"), std::string::npos)
      << read.error().message();
  auto index = open(8);
  ASSERT_NE(index, nullptr);
  EXPECT_TRUE(index->set_aside());
  EXPECT_EQ(index->size(), 0u);
}

// Cut at every length, as a crash may leave it: what was whole before is whole after.
TEST_F(VectorIndexTest, ARecordThatWasCutShortIsDropped) {
  size_t first = 0;
  {
    auto index = open(8);
    ASSERT_TRUE(index->append(numbers(20), clustered(20, 8, 1)));
    first = fs::file_size(file_);
    ASSERT_TRUE(index->append(numbers(20, 100), clustered(20, 8, 2)));
  }
  std::string whole(fs::file_size(file_), '\0');
  const auto all = static_cast<std::streamsize>(whole.size());
  std::ifstream(file_, std::ios::binary).read(whole.data(), all);
  const auto payload_end = first + 64 + rows_layout(20, 8, 8).bytes;
  for (size_t length = first + 1; length < payload_end; length += 97) {
    const auto some = static_cast<std::streamsize>(length);
    std::ofstream(file_, std::ios::binary).write(whole.data(), some);
    auto index = open(8);
    ASSERT_EQ(index->size(), 20u) << length;
    EXPECT_EQ(index->dropped_bytes(), length - first);
    EXPECT_FALSE(index->set_aside());
    ASSERT_TRUE(index->append(numbers(1, 500), clustered(1, 8, 3)));
    EXPECT_EQ(index->size(), 21u);
  }
}

TEST_F(VectorIndexTest, AForeignOrDamagedFileIsSetAside) {
  std::ofstream(file_) << "somebody's notes";
  {
    auto index = open(8);
    ASSERT_TRUE(index->set_aside());
    EXPECT_EQ(fs::file_size(*index->set_aside()), 16u);
    EXPECT_EQ(index->size(), 0u);
    ASSERT_TRUE(index->append(numbers(20), clustered(20, 8, 1)));
    ASSERT_TRUE(index->append(numbers(20, 100), clustered(20, 8, 2)));
  }
  std::fstream damaged(file_, std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(static_cast<std::streamoff>(kPage + 100));
  damaged.put('!');
  damaged.close();
  auto index = open(8);
  EXPECT_TRUE(index->set_aside());
  EXPECT_EQ(index->size(), 0u);
}

TEST_F(VectorIndexTest, OneWritesAndOthersRead) {
  auto index = open(8);
  ASSERT_TRUE(index->append(numbers(5), clustered(5, 8, 1)));
  auto second = VectorIndex::open(file_, {.dimensions = 8, .model = "test"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  auto reader = VectorIndex::open(file_, {.dimensions = 8, .model = "test", .writable = false});
  ASSERT_TRUE(reader) << reader.error().message();
  EXPECT_EQ((*reader)->size(), 5u);
  EXPECT_FALSE((*reader)->append(numbers(1, 9), clustered(1, 8, 1)));
}

TEST_F(VectorIndexTest, AReaderTakesInWhatWasWrittenSince) {
  auto index = open(8);
  const auto vectors = clustered(20, 8, 1);
  ASSERT_TRUE(index->append(numbers(20), vectors));
  auto opened = VectorIndex::open(file_, {.dimensions = 8, .model = "test", .writable = false});
  ASSERT_TRUE(opened);
  VectorIndex& reader = **opened;
  const auto current = [&] {
    auto taken = reader.take_in_appended();
    EXPECT_TRUE(taken) << taken.error().message();
    return taken && *taken;
  };
  EXPECT_TRUE(current());
  EXPECT_EQ(reader.size(), 20u);
  ASSERT_TRUE(index->append(numbers(5, 100), clustered(5, 8, 2)));
  EXPECT_EQ(reader.size(), 20u) << "as it was, until it looks";
  EXPECT_TRUE(current());
  EXPECT_EQ(reader.size(), 25u);
  // Replaced and removed rows as well.
  ASSERT_TRUE(index->append(std::vector<int64_t>{100}, std::span(vectors).first(8)));
  ASSERT_TRUE(index->remove(std::vector<int64_t>{0}));
  EXPECT_TRUE(current());
  EXPECT_EQ(reader.size(), 24u);
  auto found = reader.search(std::span(vectors).first(8), {.count = 1});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->front().id, 100);
  // A record that is not whole yet waits until it is.
  {
    std::ofstream half(file_, std::ios::binary | std::ios::app);
    half << "the beginning of a record";
  }
  EXPECT_TRUE(current());
  EXPECT_EQ(reader.size(), 24u);
  ASSERT_TRUE(index->append(numbers(1, 500), clustered(1, 8, 3)));
  EXPECT_TRUE(current());
  EXPECT_EQ(reader.size(), 25u);
  ASSERT_TRUE(index->compact());
  EXPECT_FALSE(current()) << "another file has the name";
}

TEST_F(VectorIndexTest, WhatWasReadThroughIsNotReadThroughAgain) {
  {
    auto index = open(8);
    ASSERT_TRUE(index->append(numbers(20), clustered(20, 8, 1)));
  }
  const fs::path note = file_.string() + ".checked";
  const VectorIndexOptions to_read{.dimensions = 8, .model = "test", .writable = false};
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_FALSE(was_checked(file_, status));
  note_checked(file_, status);
  EXPECT_FALSE(fs::exists(note)) << "it may change once more within the same tick";
  status.st_ctim.tv_sec -= 10;
  note_checked(file_, status);
  EXPECT_TRUE(was_checked(file_, status));
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_FALSE(was_checked(file_, status)) << "another state of the file";
  std::ofstream(note) << "1 nonsense";
  auto reader = VectorIndex::open(file_, to_read);
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->size(), 20u);
}

TEST_F(VectorIndexTest, CompactingMakesFewRecordsOfMany) {
  auto index = open(8);
  for (int64_t i = 0; i < 30; ++i) {
    ASSERT_TRUE(index->append(numbers(2, 10 * i), clustered(2, 8, static_cast<uint32_t>(i))));
  }
  ASSERT_TRUE(index->remove(std::vector<int64_t>{0, 290, 291}));
  ASSERT_TRUE(index->compact());
  EXPECT_EQ(index->size(), 57u);
  EXPECT_EQ(index->rows(), 57u);
  EXPECT_LE(fs::file_size(file_), 3 * kPage) << "header and one record";
}

}  // namespace
}  // namespace tinyarms::index
