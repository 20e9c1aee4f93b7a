// A pull reader of one JSON text (RFC 8259, strict) that allocates nothing per value: record files
// run to millions of lines, where building a tree of each would cost more than all the metrics.
//
//   JsonScanner scan(line);
//   for (bool more = scan.open_object(); more; more = scan.next_member()) {
//     if (scan.key() == "id") scan.read_string(id); else scan.skip_value();
//   }
//   if (!scan.finish()) … scan.problem() …
//
// After the first problem every call fails and changes nothing. Depth is limited to 64.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tinyarms::calibration {

enum class JsonKind { Object, Array, String, Number, Boolean, Null, Invalid };

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  // What stands next; Invalid at the end of the text or before something that is not JSON.
  JsonKind peek();

  // Steps into an object; true where it has a first member, whose key() and value are next.
  bool open_object();
  // After a member's value was read or skipped.
  bool next_member();
  std::string_view key() const { return key_; }  // valid until the next member of any object

  bool open_array();    // true where it has a first element, which is next
  bool next_element();

  bool read_string(std::string& value);
  // Finite doubles only: 1e999 is a problem, and so are NaN and Infinity.
  bool read_number(double& value);
  bool read_boolean(bool& value);
  bool skip_value();

  // True where the whole text was one value without problems.
  bool finish();

  bool failed() const { return !problem_.empty(); }
  const std::string& problem() const { return problem_; }
  // Records a problem of meaning; the first one stays.
  bool fail(std::string what);

 private:
  void skip_space();
  bool take(char wanted);
  bool take_word(std::string_view word);
  bool read_key();
  bool read_escape(std::string* value);
  bool read_hex(unsigned& code);
  bool scan_string(std::string* value);

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string_view key_;        // of the text, or of:
  std::string unescaped_key_;
  std::string problem_;
};

}  // namespace tinyarms::calibration
