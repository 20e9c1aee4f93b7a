// The two output streams and what may be shown on them: answers on stdout, everything else on
// stderr; colours and progress only where a person is looking.
#pragma once

#include <string>
#include <string_view>

namespace tinyarms::cli {

enum class Style { Plain, Dim, Bold, Red, Green, Yellow, Cyan };

enum class ColourChoice { Auto, Always, Never };

class Terminal {
 public:
  // Auto: colours where the stream is a terminal, NO_COLOR is unset and TERM is not "dumb".
  explicit Terminal(ColourChoice choice);

  bool answers_are_watched() const { return stdout_is_terminal_; }
  bool messages_are_watched() const { return stderr_is_terminal_; }

  void out(std::string_view text) const;   // stdout, flushed
  void note(std::string_view line) const;  // stderr, newline added
  void error(std::string_view line) const; // stderr, "error: " before it
  // What is being done, written over itself; "" clears it. Nothing where nobody watches stderr.
  void status(std::string_view line) const;

  std::string paint(Style style, std::string_view text) const;  // for stderr

 private:
  bool stdout_is_terminal_;
  bool stderr_is_terminal_;
  bool colours_;
};

// Text from outside (answers, file names) made safe to show on a terminal: control characters
// other than newline and tab become visible, so that no answer can send an escape sequence.
std::string printable(std::string_view text);

}  // namespace tinyarms::cli
