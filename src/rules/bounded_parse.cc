#include "rules/bounded_parse.h"

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace tinyarms::rules {
namespace {

// tree-sitter asks for leave every 100 operations. Ordinary code needs one leave per 100 to 200
// bytes; broken code in an ambiguous grammar can need thousands of times that.
constexpr uint64_t kStepsFree = 2000;
constexpr uint64_t kBytesPerStep = 20;

// Some scanners look ahead to the end of the file at every token. Input is served in pieces, and
// so many bytes in all.
constexpr size_t kPieceBytes = 2048;
constexpr uint64_t kServedBytesFree = 1 << 20;
constexpr uint64_t kServedPerByte = 16;

// All allocations together, freed ones included. Ordinary code needs some 30 bytes a byte.
constexpr uint64_t kAllocatedBytesFree = 32 << 20;
constexpr uint64_t kAllocatedPerByte = 256;

// Put before every block of tree-sitter's.
struct alignas(std::max_align_t) Block {
  ParseArena* arena;  // null: from malloc, outside of a parse
  size_t size;
};

struct Parse {
  std::string_view code;
  ParseArena* arena;
  const TSRange* parts;
  uint32_t parts_count;
  TSParser* parser;
  uint64_t steps_left;
  uint64_t served_left;
  uint64_t allocated_left;
  bool exhausted;
  bool closing;  // leave at the next call of an allocator's function
  std::jmp_buf leave;
};

thread_local Parse* running = nullptr;

// Only C frames of tree-sitter lie between here and parse_bounded(): nothing is left undone.
void charge(size_t size) {
  if (running == nullptr) return;
  if (!running->closing && size <= running->allocated_left) {
    running->allocated_left -= size;
    return;
  }
  std::longjmp(running->leave, 1);
}

void* allocate(size_t size) {
  charge(size);
  ParseArena* arena = running == nullptr ? nullptr : running->arena;
  const size_t whole = sizeof(Block) + size;
  auto* block = static_cast<Block*>(arena != nullptr ? arena->allocate(whole)
                                                     : std::malloc(whole));
  if (block == nullptr) std::abort();  // as tree-sitter's own allocator does
  block->arena = arena;
  block->size = size;
  return block + 1;
}

void* allocate_zeroed(size_t count, size_t size) {
  void* bytes = allocate(count * size);
  std::memset(bytes, 0, count * size);
  return bytes;
}

void release(void* bytes) {
  if (bytes == nullptr) return;
  charge(0);
  Block* block = static_cast<Block*>(bytes) - 1;
  if (block->arena != nullptr) {
    block->arena->release(block, sizeof(Block) + block->size);
  } else {
    std::free(block);
  }
}

void* reallocate(void* bytes, size_t size) {
  void* larger = allocate(size);
  if (bytes == nullptr) return larger;
  std::memcpy(larger, bytes, std::min(size, (static_cast<Block*>(bytes) - 1)->size));
  release(bytes);
  return larger;
}

bool out_of_steps(TSParseState* state) {
  auto* parse = static_cast<Parse*>(state->payload);
  if (parse->steps_left == 0) parse->exhausted = true;
  if (!parse->exhausted) --parse->steps_left;
  return parse->exhausted;
}

const char* read_code(void* payload, uint32_t at, TSPoint, uint32_t* length) {
  auto* parse = static_cast<Parse*>(payload);
  const size_t start = std::min<size_t>(at, parse->code.size());
  const size_t size = std::min(parse->code.size() - start, kPieceBytes);
  if (size > parse->served_left) parse->exhausted = true;
  *length = parse->exhausted ? 0 : static_cast<uint32_t>(size);
  parse->served_left -= *length;
  return parse->code.data() + start;
}

// A broken-off parse leaves nothing but its arena and the state of the grammar's scanner, which
// has memory of its own. Resetting the parser frees that first; whatever it does next touches
// the arena, and is left for good there.
void free_scanner(Parse& parse) {
  if (parse.parser == nullptr) return;
  parse.closing = true;
  if (setjmp(parse.leave) == 0) ts_parser_reset(parse.parser);
}

TSTree* run(Parse& parse, const TSLanguage* language) {
  TSParser* parser = ts_parser_new();
  parse.parser = parser;
  TSTree* tree = nullptr;
  if (ts_parser_set_language(parser, language) &&
      ts_parser_set_included_ranges(parser, parse.parts, parse.parts_count)) {
    TSInput input{};
    input.payload = &parse;
    input.read = read_code;
    input.encoding = TSInputEncodingUTF8;
    tree = ts_parser_parse_with_options(parser, nullptr, input, {&parse, out_of_steps});
  }
  ts_parser_delete(parser);
  return tree;
}

}  // namespace

const TSTree* parse_bounded(std::string_view code, const TSLanguage* language,
                            ParseArena& arena, std::span<const TSRange> parts) {
  // Before the first block exists: static initialisation happens once, under a lock.
  [[maybe_unused]] static const bool installed = [] {
    ts_set_allocator(allocate, allocate_zeroed, reallocate, release);
    return true;
  }();
  // On the heap: setjmp leaves changed locals undefined.
  auto* parse = static_cast<Parse*>(std::calloc(1, sizeof(Parse)));
  if (parse == nullptr) return nullptr;
  parse->code = code;
  parse->arena = &arena;
  parse->parts = parts.data();
  parse->parts_count = static_cast<uint32_t>(parts.size());
  parse->steps_left = kStepsFree + code.size() / kBytesPerStep;
  parse->served_left = kServedBytesFree + code.size() * kServedPerByte;
  parse->allocated_left = kAllocatedBytesFree + code.size() * kAllocatedPerByte;
  running = parse;

  const TSTree* tree = nullptr;
  if (setjmp(parse->leave) == 0) {
    tree = run(*parse, language);
  } else {
    free_scanner(*parse);
    parse->exhausted = true;
  }
  running = nullptr;
  const bool exhausted = parse->exhausted;
  std::free(parse);
  return exhausted ? nullptr : tree;
}

}  // namespace tinyarms::rules
