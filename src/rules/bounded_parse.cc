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

// Put before every block of tree-sitter's. Blocks of a running parse are linked, so that a parse
// that is broken off can be freed without the library's help.
struct alignas(std::max_align_t) Block {
  Block* previous;
  Block* next;
  size_t size;
};

struct Parse {
  std::string_view code;
  TSParser* parser;
  uint64_t steps_left;
  uint64_t served_left;
  uint64_t allocated_left;
  bool exhausted;
  bool closing;  // leave at the next call of an allocator's function
  Block blocks;  // head of a ring
  std::jmp_buf leave;
};

thread_local Parse* running = nullptr;

void link(Block* block) {
  if (running == nullptr) {
    block->previous = block->next = nullptr;
    return;
  }
  block->previous = &running->blocks;
  block->next = running->blocks.next;
  block->next->previous = block;
  running->blocks.next = block;
}

void unlink(Block* block) {
  if (block->next == nullptr) return;
  block->previous->next = block->next;
  block->next->previous = block->previous;
}

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
  auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + size));
  if (block == nullptr) std::abort();  // as tree-sitter's own allocator does
  block->size = size;
  link(block);
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
  unlink(block);
  std::free(block);
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

void release_all(Parse& parse) {
  for (Block* block = parse.blocks.next; block != &parse.blocks;) {
    Block* next = block->next;
    std::free(block);
    block = next;
  }
}

// The blocks that are left outlive the parse: the tree's.
void let_go(Parse& parse) {
  for (Block* block = parse.blocks.next; block != &parse.blocks;) {
    Block* next = block->next;
    block->previous = block->next = nullptr;
    block = next;
  }
}

// A broken-off parse leaves nothing but its blocks and the state of the grammar's scanner, which
// has memory of its own. Resetting the parser frees that first; whatever it does next touches
// its own blocks, and is left for good there.
void free_scanner(Parse& parse) {
  if (parse.parser == nullptr) return;
  parse.closing = true;
  if (setjmp(parse.leave) == 0) ts_parser_reset(parse.parser);
}

TSTree* run(Parse& parse, const TSLanguage* language) {
  TSParser* parser = ts_parser_new();
  parse.parser = parser;
  TSTree* tree = nullptr;
  if (ts_parser_set_language(parser, language)) {
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

TSTree* parse_bounded(std::string_view code, const TSLanguage* language) {
  // Before the first block exists: static initialisation happens once, under a lock.
  [[maybe_unused]] static const bool installed = [] {
    ts_set_allocator(allocate, allocate_zeroed, reallocate, release);
    return true;
  }();
  // On the heap: setjmp leaves changed locals undefined.
  auto* parse = static_cast<Parse*>(std::calloc(1, sizeof(Parse)));
  if (parse == nullptr) return nullptr;
  parse->code = code;
  parse->steps_left = kStepsFree + code.size() / kBytesPerStep;
  parse->served_left = kServedBytesFree + code.size() * kServedPerByte;
  parse->allocated_left = kAllocatedBytesFree + code.size() * kAllocatedPerByte;
  parse->blocks.previous = parse->blocks.next = &parse->blocks;
  running = parse;

  TSTree* tree = nullptr;
  if (setjmp(parse->leave) == 0) {
    tree = run(*parse, language);
    running = nullptr;
    let_go(*parse);
  } else {
    free_scanner(*parse);
    running = nullptr;
    release_all(*parse);
    std::free(parse);
    return nullptr;
  }
  if (parse->exhausted && tree != nullptr) {
    ts_tree_delete(tree);
    tree = nullptr;
  }
  std::free(parse);
  return tree;
}

}  // namespace tinyarms::rules
