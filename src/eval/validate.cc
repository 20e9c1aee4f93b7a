#include "eval/validate.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/embedded_file.h"
#include "eval/data_file.h"

namespace tinyarms::eval {

std::vector<EmbeddedFile> validation_files();  // generated

namespace {

constexpr size_t kScoreField = 4;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t begin = 0;;) {
    const size_t end = line.find('\t', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return fields;
    begin = end + 1;
  }
}

}  // namespace

Finding find(const Interval& difference_in_points, double margin) {
  if (difference_in_points.low > -margin) return Finding::Within;
  if (difference_in_points.high < -margin) return Finding::Worse;
  return Finding::NotShown;
}

Interval paired_interval(const Paired& paired) {
  const double items = static_cast<double>(paired.items) + 2;
  const double lost = static_cast<double>(paired.only_first) + 0.5;
  const double won = static_cast<double>(paired.only_second) + 0.5;
  const double centre = (won - lost) / items;
  const double variance = (won + lost - (won - lost) * (won - lost) / items) / (items * items);
  constexpr double kNormalQuantile = 1.959963984540054;
  const double half = kNormalQuantile * std::sqrt(variance);
  return {100 * std::max(-1.0, centre - half), 100 * std::min(1.0, centre + half)};
}

std::string_view finding_text(Finding finding) {
  switch (finding) {
    case Finding::Within: return "within";
    case Finding::NotShown: return "not shown";
    case Finding::Worse: return "worse";
  }
  return "";
}

std::string_view validation_text() {
  static const std::vector<EmbeddedFile> files = validation_files();
  return files.front().bytes;
}

Result<std::vector<SentencePair>> parse_sentence_pairs(std::string_view text,
                                                       std::string_view place) {
  std::vector<SentencePair> pairs;
  auto read = each_line(
      text, place, [&](std::string_view line, const std::string& where) -> Result<void> {
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto fields = fields_of(line);
        double score = 0;
        const bool enough = fields.size() > kScoreField + 2;
        const auto parsed =
            enough ? std::from_chars(fields[kScoreField].data(),
                                     fields[kScoreField].data() + fields[kScoreField].size(), score)
                   : std::from_chars_result{nullptr, std::errc::invalid_argument};
        if (parsed.ec != std::errc() || !(score >= 0 && score <= 5) ||
            fields[kScoreField + 1].empty() || fields[kScoreField + 2].empty()) {
          return Error{ErrorCode::Corrupt,
                       "is no line of seven fields with a score from 0 to 5 in the fifth", where,
                       "use the STS benchmark's own tab-separated file"};
        }
        pairs.push_back({std::string(fields[kScoreField + 1]),
                         std::string(fields[kScoreField + 2]), score});
        return {};
      });
  if (!read) return read.error();
  if (pairs.size() < 10) {
    return Error{ErrorCode::Corrupt, "holds fewer than 10 pairs", std::string(place),
                 "use the STS benchmark's own file"};
  }
  return pairs;
}

}  // namespace tinyarms::eval
