#include "calibration/record_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <future>
#include <optional>
#include <system_error>
#include <thread>

#include "base/utf8.h"
#include "calibration/random.h"
#include "calibration/record_parser.h"

namespace tinyarms::calibration {
namespace {

Error bad(std::string what, std::string place, std::string hint) {
  return Error{ErrorCode::InvalidArgument, std::move(what), std::move(place), std::move(hint)};
}

// Made for errors only: a text a line would cost as much as reading the line.
std::string place_of(const Record& record) {
  return fmt::format("{}:{}", record.file, record.line);
}

Error placed(Error error, const Record& record) {
  error.where = place_of(record);
  return error;
}

// Cut, so that a hostile id cannot fill the screen.
std::string shown(const std::string& text) {
  constexpr size_t kShownMax = 80;
  return text.size() <= kShownMax ? text : text.substr(0, complete_utf8_prefix(
                                               std::string_view(text).substr(0, kShownMax))) + "…";
}

}  // namespace

// Parses a line and works out its keys: all that needs nothing of other lines. False for an empty
// line.
Result<bool> RecordReader::parse(std::string_view line, Record& record) const {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return false;
  if (auto parsed = parse_record(line, options_.unit, record); !parsed) return parsed.error();
  if (!options_.tier_names.empty()) rename_tiers(record);
  record.id_key = hash_text(record.id, 0);
  if (record.bench) record.id_key = hash_text(record.tiers[0].name, record.id_key);
  if (record.prompt.empty()) return true;
  const uint64_t question = hash_text(record.prompt, hash_text(record.group, 2));
  for (TierOutcome& tier : record.tiers) {
    uint64_t key = hash_text(tier.name, question ^ record.answer_hash);
    key = hash_text(tier.quantization, hash_text(tier.model_sha, key));
    uint64_t evidence = 0;  // a sum: the order of the signals does not matter
    for (const auto& [name, value] : tier.evidence) {
      evidence += hash_text(name, std::bit_cast<uint64_t>(value));
    }
    tier.answer_key = mix64(key ^ evidence);
  }
  return true;
}

Result<const Record*> RecordReader::read_line(std::string_view line, uint64_t number,
                                              const std::string& where) {
  record_.file = where;
  record_.line = number;
  auto parsed = parse(line, record_);
  if (!parsed) return placed(parsed.error(), record_);
  if (!*parsed) return static_cast<const Record*>(nullptr);
  if (auto sound = check(record_); !sound) return sound.error();
  return const_cast<const Record*>(&record_);
}

Result<void> RecordReader::check(const Record& record) {
  if (count_ == options_.records_max) {
    return Error{ErrorCode::OverBudget, fmt::format("more than {} records", options_.records_max),
                 place_of(record), "measure a sample of them"};
  }
  if (auto sound = check_id(record); !sound) return sound;
  if (auto sound = check_models(record); !sound) return sound;
  if (auto sound = check_labels(record); !sound) return sound;
  ++count_;
  return {};
}

void RecordReader::rename_tiers(Record& record) const {
  for (TierOutcome& tier : record.tiers) {
    const auto other = options_.tier_names.find(tier.name);
    if (other != options_.tier_names.end()) tier.name = other->second;
  }
}

Result<void> RecordReader::check_id(const Record& record) {
  const auto seen = ids_.insert(record.id_key, {static_cast<uint32_t>(record.line),
                                                static_cast<uint8_t>(record.tiers[0].correct)});
  if (!seen) return {};
  const bool contradicts = (seen->mark != 0) != record.tiers[0].correct;
  return bad(fmt::format("id `{}`{} was used before, on line {}{}", shown(record.id),
                         record.bench ? " with tier `" + shown(record.tiers[0].name) + "`" : "",
                         seen->line, contradicts ? ", with the opposite label" : ""),
             place_of(record), "every record needs an id of its own");
}

Result<void> RecordReader::check_models(const Record& record) {
  if (options_.mixed_models) return {};
  for (const TierOutcome& tier : record.tiers) {
    if (tier.model_sha.empty() && tier.quantization.empty()) continue;
    const auto [known, added] =
        models_.try_emplace(tier.name, tier.model_sha, tier.quantization);
    if (added) continue;
    if (models_.size() > 4096) {
      return Error{ErrorCode::OverBudget, "more than 4096 tiers", place_of(record),
                   "split the file"};
    }
    const auto& [model, quantization] = known->second;
    if (model == tier.model_sha && quantization == tier.quantization) continue;
    return bad(fmt::format("tier `{}` is model {} ({}) here and {} ({}) before", shown(tier.name),
                           shown(tier.model_sha), shown(tier.quantization), shown(model),
                           shown(quantization)),
               place_of(record), "give each model its own file, or allow mixed models");
  }
  return {};
}

Result<void> RecordReader::check_labels(const Record& record) {
  if (record.prompt.empty()) return {};
  for (const TierOutcome& tier : record.tiers) {
    // Without anything that tells answers apart, two samples may well differ in outcome.
    if (tier.evidence.empty() && record.answer_hash == 0) continue;
    const auto seen = labels_.insert(tier.answer_key, {static_cast<uint32_t>(record.line),
                                                       static_cast<uint8_t>(tier.correct)});
    if (!seen || (seen->mark != 0) == tier.correct) continue;
    return bad(fmt::format("tier `{}` gave the same answer to the same prompt as on line {}, but "
                           "`correct` is {} here and {} there",
                           shown(tier.name), seen->line, tier.correct, seen->mark != 0),
               place_of(record), "mend the labels, or remove one of the two records");
  }
  return {};
}

// Some lines of a block, parsed; the vector's records keep their memory from block to block. Lines
// count from 1 in the piece until those before it are counted.
struct RecordReader::Piece {
  std::string_view text;
  size_t lines = 0;
  std::vector<Record> records;
  size_t used = 0;
  std::optional<Error> problem;  // of the piece's last line
};

// Whole lines. Who has time takes the next piece.
struct RecordReader::Block {
  std::string text;
  uint64_t first_line = 1;
  std::vector<Piece> pieces;
  size_t used = 0;
  std::atomic<size_t> next = 0;

  void cut() {
    constexpr size_t kPieceBytes = size_t{1} << 17;
    used = 0;
    next = 0;
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = rest.find('\n', std::min(kPieceBytes, rest.size()) - 1);
      if (used == pieces.size()) pieces.emplace_back();
      pieces[used++].text = rest.substr(0, end == std::string_view::npos ? end : end + 1);
      rest.remove_prefix(pieces[used - 1].text.size());
    }
  }

  size_t lines() const {
    size_t sum = 0;
    for (size_t i = 0; i < used; ++i) sum += pieces[i].lines;
    return sum;
  }

  bool sound() const {
    return std::none_of(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(used),
                        [](const Piece& piece) { return piece.problem.has_value(); });
  }
};

Error RecordReader::too_long() const {
  return {ErrorCode::Corrupt,
          fmt::format("the line is longer than {} bytes", options_.line_bytes_max), "",
          "one record a line is needed"};
}

void RecordReader::parse_piece(Piece& piece, const std::string& where) const {
  piece.used = 0;
  piece.lines = 0;
  piece.problem.reset();
  std::string_view rest = piece.text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (piece.used == piece.records.size()) piece.records.emplace_back();
    Record& record = piece.records[piece.used];
    if (record.file != where) record.file = where;
    record.line = ++piece.lines;
    if (end > options_.line_bytes_max) {
      piece.problem = too_long();
      return;
    }
    auto parsed = parse(rest.substr(0, end), record);
    if (!parsed) {
      piece.problem = parsed.error();
      return;
    }
    piece.used += *parsed ? 1 : 0;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void RecordReader::parse_pieces(Block& block, const std::string& where) const {
  for (size_t i = block.next++; i < block.used; i = block.next++) {
    parse_piece(block.pieces[i], where);
  }
}

Result<void> RecordReader::check_block(Block& block, const Sink& sink) {
  constexpr size_t kAhead = 8;
  uint64_t before = block.first_line - 1;
  for (size_t p = 0; p < block.used; ++p) {
    Piece& piece = block.pieces[p];
    for (size_t i = 0; i < piece.used; ++i) {
      if (i + kAhead < piece.used) {
        const Record& later = piece.records[i + kAhead];
        ids_.prefetch(later.id_key);
        for (const TierOutcome& tier : later.tiers) labels_.prefetch(tier.answer_key);
      }
      Record& record = piece.records[i];
      record.line += before;
      if (auto sound = check(record); !sound) return sound;
      if (auto taken = sink(record); !taken) return taken;
    }
    before += piece.lines;
    if (!piece.problem) continue;
    piece.problem->where = fmt::format("{}:{}", piece.records[piece.used].file, before);
    return *piece.problem;
  }
  return {};
}

// The next whole lines; `carried` is what of a line came before and what is left over after. False
// at the end. Not std::getline: a file without newlines must not be read into memory whole.
Result<bool> RecordReader::fill(std::istream& input, std::string& carried, Block& block,
                                const std::string& where) const {
  constexpr size_t kBlockBytes = size_t{1} << 20;
  block.text.swap(carried);
  carried.clear();
  while (true) {
    const size_t before = block.text.size();
    block.text.resize(before + kBlockBytes);
    input.read(block.text.data() + before, static_cast<std::streamsize>(kBlockBytes));
    block.text.resize(before + static_cast<size_t>(input.gcount()));
    if (input.bad()) {
      return Error{ErrorCode::Io, "cannot be read to its end", where, "check the disk"};
    }
    if (!input) return !block.text.empty();
    const size_t end = block.text.rfind('\n');
    if (end != std::string::npos) {
      carried.assign(block.text, end + 1);
      block.text.resize(end + 1);
    }
    if (std::max(carried.size(), end == std::string::npos ? block.text.size() : 0) >
        options_.line_bytes_max) {
      const auto lines = std::count(block.text.begin(), block.text.end(), '\n');
      Error error = too_long();
      error.where = fmt::format("{}:{}", where, block.first_line + static_cast<uint64_t>(lines));
      return error;
    }
    if (end != std::string::npos) return true;
  }
}

// While one block is checked, which must be in order, the next one is parsed beside it.
Result<void> RecordReader::read(std::istream& input, const std::string& where, const Sink& sink) {
  std::array<Block, 2> blocks;
  std::string carried;
  auto more = fill(input, carried, blocks[0], where);
  if (!more) return more.error();
  if (!*more) return {};
  blocks[0].cut();
  std::vector<std::future<void>> helpers = parse_beside(blocks[0], where);
  for (size_t turn = 0;; turn = 1 - turn) {
    Block& now = blocks[turn];
    Block& next = blocks[1 - turn];
    parse_pieces(now, where);
    for (std::future<void>& helper : helpers) helper.get();
    helpers.clear();
    next.first_line = now.first_line + now.lines();
    if (now.sound()) {
      more = fill(input, carried, next, where);
      if (more && *more) {
        next.cut();
        helpers = parse_beside(next, where);
      }
    }
    if (auto checked = check_block(now, sink); !checked) return checked;
    if (!more) return more.error();
    if (!*more) return {};
  }
}

// The caller's thread is one of the parsing ones as soon as it has checked the block before.
std::vector<std::future<void>> RecordReader::parse_beside(Block& block,
                                                          const std::string& where) const {
  constexpr size_t kHelpersMax = 3;
  const size_t cores = std::max(2u, std::thread::hardware_concurrency());
  const size_t count = std::min({cores - 1, kHelpersMax, block.used - 1});
  std::vector<std::future<void>> helpers;
  for (size_t i = 0; i < count; ++i) {
    try {
      helpers.push_back(
          std::async(std::launch::async, [this, &block, &where] { parse_pieces(block, where); }));
    } catch (const std::system_error&) {  // no thread to be had: the caller parses all
      break;
    }
  }
  return helpers;
}

Result<uint64_t> read_record_files(const std::vector<std::string>& files, ReadOptions options,
                                   const RecordReader::Sink& sink) {
  RecordReader reader(options);
  for (const std::string& file : files) {
    errno = 0;
    std::ifstream input(file, std::ios::binary);
    if (!input || input.peek() == std::ifstream::traits_type::eof()) {
      if (input.good() || (input.eof() && !input.bad() && errno == 0)) continue;  // empty
      const int problem = errno == 0 ? EIO : errno;
      return Error{problem == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, std::strerror(problem),
                   file, "check the path"};
    }
    if (auto read = reader.read(input, file, sink); !read) return read.error();
  }
  return reader.count();
}

}  // namespace tinyarms::calibration
