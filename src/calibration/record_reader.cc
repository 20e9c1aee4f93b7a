#include "calibration/record_reader.h"

#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>

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

// Cut, so that a hostile id cannot fill the screen.
std::string shown(const std::string& text) {
  constexpr size_t kShownMax = 80;
  return text.size() <= kShownMax ? text : text.substr(0, complete_utf8_prefix(
                                               std::string_view(text).substr(0, kShownMax))) + "…";
}

}  // namespace

Result<const Record*> RecordReader::read_line(std::string_view line, uint64_t number,
                                              const std::string& where) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) {
    return static_cast<const Record*>(nullptr);
  }
  record_.file = where;
  record_.line = number;
  if (count_ == options_.records_max) {
    return Error{ErrorCode::OverBudget, fmt::format("more than {} records", options_.records_max),
                 place_of(record_), "measure a sample of them"};
  }
  if (auto parsed = parse_record(line, options_.unit, record_); !parsed) {
    Error error = parsed.error();
    error.where = place_of(record_);
    return error;
  }
  if (!options_.tier_names.empty()) rename_tiers();
  if (auto sound = check_id(); !sound) return sound.error();
  if (auto sound = check_models(); !sound) return sound.error();
  if (auto sound = check_labels(); !sound) return sound.error();
  ++count_;
  return const_cast<const Record*>(&record_);
}

void RecordReader::rename_tiers() {
  for (TierOutcome& tier : record_.tiers) {
    const auto other = options_.tier_names.find(tier.name);
    if (other != options_.tier_names.end()) tier.name = other->second;
  }
}

Result<void> RecordReader::check_id() {
  uint64_t key = hash_text(record_.id, 0);
  if (record_.bench) key = hash_text(record_.tiers[0].name, key);
  const auto seen = ids_.insert(key, {static_cast<uint32_t>(record_.line),
                                      static_cast<uint8_t>(record_.tiers[0].correct)});
  if (!seen) return {};
  const bool contradicts = (seen->mark != 0) != record_.tiers[0].correct;
  return bad(fmt::format("id `{}`{} was used before, on line {}{}", shown(record_.id),
                         record_.bench ? " with tier `" + shown(record_.tiers[0].name) + "`" : "",
                         seen->line, contradicts ? ", with the opposite label" : ""),
             place_of(record_), "every record needs an id of its own");
}

Result<void> RecordReader::check_models() {
  if (options_.mixed_models) return {};
  for (const TierOutcome& tier : record_.tiers) {
    if (tier.model_sha.empty() && tier.quantization.empty()) continue;
    const auto [known, added] =
        models_.try_emplace(tier.name, tier.model_sha, tier.quantization);
    if (added) continue;
    if (models_.size() > 4096) {
      return Error{ErrorCode::OverBudget, "more than 4096 tiers", place_of(record_),
                   "split the file"};
    }
    const auto& [model, quantization] = known->second;
    if (model == tier.model_sha && quantization == tier.quantization) continue;
    return bad(fmt::format("tier `{}` is model {} ({}) here and {} ({}) before", shown(tier.name),
                           shown(tier.model_sha), shown(tier.quantization), shown(model),
                           shown(quantization)),
               place_of(record_), "give each model its own file, or allow mixed models");
  }
  return {};
}

Result<void> RecordReader::check_labels() {
  if (record_.prompt.empty()) return {};
  const uint64_t question = hash_text(record_.prompt, hash_text(record_.group, 2));
  for (const TierOutcome& tier : record_.tiers) {
    // Without anything that tells answers apart, two samples may well differ in outcome.
    if (tier.evidence.empty() && record_.answer_hash == 0) continue;
    uint64_t key = hash_text(tier.name, question ^ record_.answer_hash);
    key = hash_text(tier.quantization, hash_text(tier.model_sha, key));
    uint64_t evidence = 0;  // a sum: the order of the signals does not matter
    for (const auto& [name, value] : tier.evidence) {
      evidence += hash_text(name, std::bit_cast<uint64_t>(value));
    }
    const auto seen = labels_.insert(mix64(key ^ evidence), {static_cast<uint32_t>(record_.line),
                                                 static_cast<uint8_t>(tier.correct)});
    if (!seen || (seen->mark != 0) == tier.correct) continue;
    return bad(fmt::format("tier `{}` gave the same answer to the same prompt as on line {}, but "
                           "`correct` is {} here and {} there",
                           shown(tier.name), seen->line, tier.correct, seen->mark != 0),
               place_of(record_), "mend the labels, or remove one of the two records");
  }
  return {};
}

Result<void> RecordReader::read(std::istream& input, const std::string& where, const Sink& sink) {
  std::string line;
  uint64_t number = 0;
  // Not std::getline: a file without newlines must not be read into memory whole.
  std::vector<char> block(size_t{1} << 16);
  bool more = true;
  const auto take = [&](std::string_view text) -> Result<void> {
    auto record = read_line(text, ++number, where);
    if (!record) return record.error();
    if (*record == nullptr) return {};
    return sink(**record);
  };
  while (more) {
    input.read(block.data(), static_cast<std::streamsize>(block.size()));
    const auto size = static_cast<size_t>(input.gcount());
    more = static_cast<bool>(input);
    std::string_view rest(block.data(), size);
    for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      std::string_view text = rest.substr(0, end);
      if (!line.empty()) text = line.append(text);
      if (auto taken = take(text); !taken) return taken;
      line.clear();
      rest.remove_prefix(end + 1);
    }
    line.append(rest);
    if (line.size() > options_.line_bytes_max) {
      return Error{ErrorCode::Corrupt,
                   fmt::format("the line is longer than {} bytes", options_.line_bytes_max),
                   fmt::format("{}:{}", where, number + 1), "one record a line is needed"};
    }
  }
  if (input.bad()) {
    return Error{ErrorCode::Io, "cannot be read to its end", where, "check the disk"};
  }
  return take(line);
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
