// Parsing alone cannot tell languages apart (`x = 1` is a statement in five of them), so the
// language must parse *and* the code must bear a mark that only this language has. Marks of
// languages without a grammar here veto: their code often parses as a relative's.
#include <re2/re2.h>

#include <vector>

#include "rules/code.h"
#include "rules/syntax_tree.h"

namespace tinyarms::rules {
namespace {

struct Mark {
  std::string_view language;  // empty: a language without a grammar here
  const char* regex;          // searched; ^ and $ match at lines
};

constexpr Mark kMarks[] = {
    {"", R"(<\?php|^\s*using [\w.]+;|\bConsole\.(?:Write|Read)|\bfun \w+\(|^\s*#import\b)"},
    {"", R"(@(?:interface|implementation)\b|\bval \w+ =|^\s*(?:end|puts .*|my [$@%].*)\s*$)"},
    {"", R"(^#!.*\b(?:perl|ruby|php|zsh|fish|lua|Rscript|awk|tclsh)|^\s*use strict;|\{ get;)"},
    {"", R"(\bfunction\s*\w*\s*\(\s*(?:\w+ )?&?\$\w|__global__|<<<.*>>>|\bnamespace [\w.]+;)"},
    {"", R"(^\s*(?:cdef|cpdef) |^\s*(?:import|package) \w+(?:\.\w+)+\s*$.*\bdef \w+\(.*=\s*$)"},

    {"bash", R"(^#!\s*/(?:usr/)?bin/(?:env )?bash\b)"},
    {"bash", R"(^\s*(?:el)?if \[\[? .*\]\]?\s*;\s*then\b|^\s*(?:for \w+ in .*|while .*);\s*do\b)"},
    {"bash", R"(^\s*set -[eu]\w*(?:o pipefail| -o pipefail)?\s*$|^\s*export [A-Z_]+=)"},

    {"c", R"re(^\s*#\s*include\s*<(?:stdio|stdlib|string|stdint|stdbool|math|ctype|errno|unistd|)re"
          R"re(assert|limits|time|signal|pthread|stddef|stdarg)\.h>)re"},
    {"c", R"(\btypedef struct\b|\bstruct \w+ ?\*\s*\w+|= (?:\(\w+ ?\*\) ?)?(?:malloc|calloc)\()"},

    {"cpp", R"re(^\s*#\s*include\s*<(?:iostream|vector|string|map|set|memory|algorithm|array|)re"
            R"re(functional|utility|optional|thread|unordered_(?:map|set)|[sf]stream)>)re"},
    {"cpp", R"(\bstd::\w|\busing namespace \w|\btemplate\s*<|\bnullptr\b|\bc(?:out|err) ?<<)"},
    {"cpp", R"(^\s*(?:public|private|protected):\s*$|\b(?:static|dynamic|reinterpret)_cast<)"},

    {"go", R"(^package \w+\s*$|\bfmt\.\w+\(|\bgo func\(|\bmake\(chan |\binterface\{\})"},
    {"go", R"(^func \(\w+ \*?\w+\) \w+\(|^func \w+\([^():]*\w+ (?:int|string|bool|error)\b)"},
    {"go", R"(^\s*(?:\w+, )?\w+ := |\bif err != nil\b)"},

    {"java", R"(\bpublic static void main\s*\(\s*(?:final )?String\b|\bSystem\.(?:out|err)\.)"},
    {"java", R"(^\s*import (?:static )?(?:java|javax|org|com)\.[\w.]+(?:\.\*)?;|@Override\b)"},
    {"java", R"(\bpublic (?:final |abstract )*class \w+(?:<.*>)? (?:extends|implements) \w)"},
    {"java", R"((?:public|private|protected) (?:static |final )*(?:boolean|String)\b ?\w+ ?[(;=])"},

    {"javascript", R"(\bconsole\.(?:log|error|warn|info)\(|\bmodule\.exports\b|\brequire\(['"])"},
    {"javascript", R"(^import .* from ['"]|^export (?:default|const|function|class|async)\b)"},
    {"javascript", R"(\bconst \w+ = (?:async )?(?:\([^()]*\)|\w+) =>|\bnew Promise\()"},
    {"javascript", R"(\b(?:async )?function\s*\*?\s*\w*\s*\([^()$]*\)\s*\{|\bdocument\.\w+\()"},

    {"python", R"(^\s*(?:async )?def \w+\(.*\)(?: ->.*)?:|^\s*class \w+(?:\(.*\))?:\s*(?:#.*)?$)"},
    {"python", R"(^\s*from [\w.]+ import |^import (?:os|sys|re|json|math|time|random|datetime)\b)"},
    {"python", R"(^import (?:numpy|pandas|torch|asyncio|typing|logging|subprocess|collections)\b)"},
    {"python", R"(^\s*(?:async )?for .* in .*:\s*(?:#.*)?$|^\s*(?:elif .*|except(?: .*)?):\s*$)"},
    {"python", R"(\bif __name__ == |\bprint\(f['"]|\[[^\[\]]+ for \w+(?:, \w+)* in [^\[\]]+\])"},

    {"rust", R"(\blet mut \w|\bprintln!\(|\bvec!\[|^\s*use (?:std|crate|super)::|#!?\[\w+\()"},
    {"rust", R"(\bfn \w+(?:<.*>)?\(.*\) -> |^\s*impl\b.*\{|^\s*pub (?:fn|struct|enum|mod|trait) )"},
};

bool bears(std::string_view code, const Mark& mark) {
  RE2::Options options;
  options.set_posix_syntax(false);
  options.set_log_errors(false);
  const RE2 regex(std::string("(?m)") + mark.regex, options);
  return RE2::PartialMatch(re2::StringPiece(code.data(), code.size()), regex);
}

// A Python dictionary can look the same; nobody asks about one that is also strict JSON.
bool is_json_object(std::string_view code) {
  const size_t start = code.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || code[start] != '{') return false;
  const std::optional<SyntaxTree> tree = SyntaxTree::parse(code, "json");
  if (!tree || tree->first_error()) return false;
  const TSNode value = ts_node_named_child(tree->root(), 0);
  return ts_node_named_child_count(value) > 0;
}

}  // namespace

std::optional<std::string> guess_language(std::string_view code) {
  if (code.size() > kCodeBytesMax) return std::nullopt;
  if (is_json_object(code)) return "json";

  std::vector<std::string_view> marked;
  for (const Mark& mark : kMarks) {
    if (!marked.empty() && marked.back() == mark.language) continue;
    if (!bears(code, mark)) continue;
    if (mark.language.empty()) return std::nullopt;
    marked.push_back(mark.language);
  }
  std::vector<std::string_view> candidates;
  for (const std::string_view language : marked) {
    if (parses(code, language).value_or(false)) candidates.push_back(language);
  }
  // C's headers and idioms are C++ too; C++'s own marks decide.
  if (candidates.size() == 2 && candidates[0] == "c" && candidates[1] == "cpp") {
    return "cpp";
  }
  if (candidates.size() != 1) return std::nullopt;
  return std::string(candidates[0]);
}

}  // namespace tinyarms::rules
