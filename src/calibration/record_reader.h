// Reads records line by line from any number of files, with constant memory a record (some 50
// bytes for what must be remembered of it: its id and its labels).
//
// Refused, each with the file and the line, and the reader is of no use afterwards:
//   not JSON, NaN or infinite numbers, invalid UTF-8, an overlong line     Corrupt
//   a missing field or one of the wrong kind, a cost ≤ 0, the same tier
//   or signal twice in a record                                            InvalidArgument
//   an id (bench: an id and tier) seen before                              InvalidArgument
//   the same question, answer and evidence, once right and once wrong      InvalidArgument
//   a tier under two models or quantisations (unless `mixed_models`)       InvalidArgument
//   more than `records_max` records, 64 tiers, 512 signals                 OverBudget
// Unknown fields and empty lines are passed over. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calibration/line_memory.h"
#include "calibration/record.h"

namespace tinyarms::calibration {

enum class CostUnit { Seconds, Tokens };

struct ReadOptions {
  uint64_t records_max = uint64_t{1} << 24;
  size_t line_bytes_max = size_t{8} << 20;
  CostUnit unit = CostUnit::Seconds;  // of bench records; interchange records carry one number
  bool mixed_models = false;
  // Tiers under other names than the records': a model that was benched alone becomes a level.
  std::map<std::string, std::string, std::less<>> tier_names{};
};

class RecordReader {
 public:
  explicit RecordReader(ReadOptions options = {}) : options_(options) {}

  // Called for every record, in order and on the caller's thread; its error ends the reading. The
  // record is reused afterwards.
  using Sink = std::function<Result<void>(const Record&)>;

  // `where` names the input in errors ("records.jsonl").
  Result<void> read(std::istream& input, const std::string& where, const Sink& sink);

  // One line; nullptr for an empty one. The record lives until the next call.
  Result<const Record*> read_line(std::string_view line, uint64_t number,
                                  const std::string& where);

  uint64_t count() const { return count_; }

 private:
  struct Piece;
  struct Block;
  Result<bool> parse(std::string_view line, Record& record) const;
  void rename_tiers(Record& record) const;
  Result<bool> fill(std::istream& input, std::string& carried, Block& block,
                    const std::string& where) const;
  Error too_long() const;
  void parse_piece(Piece& piece, const std::string& where) const;
  void parse_pieces(Block& block, const std::string& where) const;
  std::vector<std::future<void>> parse_beside(Block& block, const std::string& where) const;
  Result<void> check_block(Block& block, const Sink& sink);
  Result<void> check(const Record& record);
  Result<void> check_id(const Record& record);
  Result<void> check_models(const Record& record);
  Result<void> check_labels(const Record& record);

  ReadOptions options_;
  Record record_;
  uint64_t count_ = 0;
  LineMemory ids_;
  LineMemory labels_;
  std::map<std::string, std::pair<std::string, std::string>, std::less<>> models_;  // of a tier
};

// Opens and reads each file in turn ("-" is not special). Errors: as above, NotFound, Io.
Result<uint64_t> read_record_files(const std::vector<std::string>& files, ReadOptions options,
                                   const RecordReader::Sink& sink);

}  // namespace tinyarms::calibration
