// The ways of writing the same thing in LaTeX, made one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::eval {

// What tidy_latex makes of the end of a matrix row, so that it is no other command's beginning.
inline constexpr std::string_view kRowEnd = "\x1e";

// Gone: dollars, \left \right and sizes, thin spaces, a final period, currency, percent and degree
// signs, units in \text{…} or in plain words behind a number, thousands separators ("10,\!080",
// "1,234"). \dfrac and \tfrac become \frac, \text{a or b} a comma, "\leq" "\le", "\mathrm" "\text".
// The spirit of the MATH paper's is_equiv and of Minerva's normalisation (Lewkowycz et al. 2022).
std::string tidy_latex(std::string_view answer);

// Split at `separator` outside every bracket; parts are trimmed. "" has one empty part.
std::vector<std::string> split_outside_brackets(std::string_view text, std::string_view separator);

std::string without_blanks(std::string_view text);
std::string trimmed(std::string_view text);

// The words of "\text{Evelyn}", "(C)" or "east" in lower case, where the answer is words and no
// formula.
std::optional<std::string> as_words(std::string_view tidy);

}  // namespace tinyarms::eval
