// The memory of one parse: tree-sitter's allocations are small, many, and all go at once when the
// tree is no longer wanted. Blocks are cut from chunks that are kept from parse to parse; a freed
// block waits in a list of its size for the next taker. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tinyarms::rules {

class ParseArena {
 public:
  ParseArena() = default;
  ParseArena(const ParseArena&) = delete;
  ParseArena& operator=(const ParseArena&) = delete;

  // Aligned for anything; aborts where the system has no memory, as tree-sitter's allocator does.
  void* allocate(size_t size);
  // Of a block of this arena, with the size it was asked for with.
  void release(void* block, size_t size);
  // All blocks are gone. Chunks beyond kKeptBytes are given back to the system.
  void reset();

 private:
  static constexpr size_t kGrain = 16;
  static constexpr size_t kClasses = 65;  // of up to 1 KiB; larger blocks are chunks of their own
  static constexpr size_t kSmallMax = (kClasses - 1) * kGrain;
  static constexpr size_t kFirstChunk = 64 << 10;
  static constexpr size_t kChunkMax = 4 << 20;
  static constexpr size_t kKeptBytes = 256 << 20;

  struct FreeBlock {
    FreeBlock* next;
  };
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };

  void* allocate_large(size_t size);
  void open_chunk();

  std::array<FreeBlock*, kClasses> free_{};
  std::array<FreeBlock*, 64> free_large_{};  // by power of two
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;  // the next one to open
  std::byte* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace tinyarms::rules
