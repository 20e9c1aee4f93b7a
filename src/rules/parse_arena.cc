#include "rules/parse_arena.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace tinyarms::rules {

void ParseArena::open_chunk() {
  if (chunk_ == chunks_.size()) {
    const size_t last = chunks_.empty() ? kFirstChunk / 2 : chunks_.back().size;
    const size_t size = std::min(std::max(last * 2, kFirstChunk), kChunkMax);
    auto* bytes = new (std::nothrow) std::byte[size];
    if (bytes == nullptr) std::abort();
    chunks_.push_back({std::unique_ptr<std::byte[]>(bytes), size});
  }
  next_ = chunks_[chunk_].bytes.get();
  left_ = chunks_[chunk_].size;
  ++chunk_;
}

void* ParseArena::allocate(size_t size) {
  const size_t index = (size + kGrain - 1) / kGrain;
  if (index >= kClasses) return allocate_large(size);
  if (FreeBlock* block = free_[index]) {
    free_[index] = block->next;
    return block;
  }
  const size_t rounded = std::max<size_t>(index, 1) * kGrain;
  while (left_ < rounded) open_chunk();
  void* block = next_;
  next_ += rounded;
  left_ -= rounded;
  return block;
}

// Rounded up to powers of two, so that a growing array leaves blocks that fit the next one.
void* ParseArena::allocate_large(size_t size) {
  const size_t rounded = std::bit_ceil(size);
  FreeBlock*& list = free_large_[std::countr_zero(rounded)];
  if (list != nullptr) {
    FreeBlock* block = list;
    list = block->next;
    return block;
  }
  if (rounded <= kChunkMax) {
    while (left_ < rounded) open_chunk();
    void* block = next_;
    next_ += rounded;
    left_ -= rounded;
    return block;
  }
  auto* bytes = new (std::nothrow) std::byte[rounded];
  if (bytes == nullptr) std::abort();
  // Before the chunk that is open, so that the order of those still to be opened is kept.
  chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(chunk_),
                 {std::unique_ptr<std::byte[]>(bytes), rounded});
  ++chunk_;
  return bytes;
}

void ParseArena::release(void* block, size_t size) {
  const size_t index = (size + kGrain - 1) / kGrain;
  FreeBlock*& list =
      index < kClasses ? free_[index] : free_large_[std::countr_zero(std::bit_ceil(size))];
  auto* freed = static_cast<FreeBlock*>(block);
  freed->next = list;
  list = freed;
}

void ParseArena::reset() {
  free_.fill(nullptr);
  free_large_.fill(nullptr);
  next_ = nullptr;
  left_ = 0;
  chunk_ = 0;
  // A huge chunk served one huge block; it would be cut into small ones next time.
  std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.size > kChunkMax; });
  size_t kept = 0;
  size_t count = 0;
  while (count < chunks_.size() && kept < kKeptBytes) kept += chunks_[count++].size;
  chunks_.resize(count);
}

}  // namespace tinyarms::rules
