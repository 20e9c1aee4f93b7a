// From a model's byte pieces to text that can be shown: whole UTF-8 characters, nothing invalid,
// nothing of a stop sequence.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::engine {

class TextStream {
 public:
  using Listener = std::function<void(std::string_view)>;

  // `on_text` (may be empty) gets each piece as it becomes certain. Stop sequences that are empty
  // or not UTF-8 can never occur in the text and are ignored.
  TextStream(std::vector<std::string> stops, Listener on_text);

  // True where a stop sequence is complete: the text ends before it. The first to begin wins.
  bool push(std::string_view bytes);

  // No more bytes will come: what was held back is text after all. Not after push() said true.
  void finish();

  // The stop sequence that was complete; empty where none was.
  const std::string& stopped_by() const { return stopped_by_; }

  // Everything certain so far. Invalid bytes became U+FFFD, one for each.
  const std::string& text() const { return text_; }

 private:
  void absorb(std::string_view complete);
  void release(size_t bytes);

  std::vector<std::string> stops_;
  Listener on_text_;
  std::string bytes_;  // the beginning of a character whose rest is still to come
  std::string held_;   // valid text that may yet turn out to begin a stop sequence
  std::string text_;
  std::string stopped_by_;
};

}  // namespace tinyarms::engine
