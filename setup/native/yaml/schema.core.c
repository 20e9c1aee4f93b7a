// What a plain YAML scalar is by the core schema (YAML 1.2.2, section 10.3.2), decided character by
// character: what the YAML grammar's scanner includes under this name, and its package lacks.
#include <stdint.h>
#include <string.h>

#define SCH_STT_FRZ -1
#define HAS_TIMESTAMP 0

typedef enum { RS_STR, RS_INT, RS_NULL, RS_BOOL, RS_FLOAT } ResultSchema;

enum {
  kStart,
  kSign,
  kZero,         // a first 0, which may become 0o… or 0x…
  kDigits,
  kDot,          // a point without digits before it
  kDotSigned,
  kFraction,
  kExponent,
  kExponentSign,
  kExponentDigits,
  kOctalMark,
  kOctal,
  kHexMark,
  kHex,
  kWords         // kWords + word * kWordLength + characters seen so far
};

enum { kWordLength = 5, kAfterStart, kAfterDot };

static const struct {
  const char *text;
  ResultSchema kind;
  int after;
} kWord[] = {
    {"null", RS_NULL, kAfterStart}, {"Null", RS_NULL, kAfterStart},
    {"NULL", RS_NULL, kAfterStart}, {"~", RS_NULL, kAfterStart},
    {"true", RS_BOOL, kAfterStart}, {"True", RS_BOOL, kAfterStart},
    {"TRUE", RS_BOOL, kAfterStart}, {"false", RS_BOOL, kAfterStart},
    {"False", RS_BOOL, kAfterStart}, {"FALSE", RS_BOOL, kAfterStart},
    {"inf", RS_FLOAT, kAfterDot}, {"Inf", RS_FLOAT, kAfterDot},
    {"INF", RS_FLOAT, kAfterDot}, {"nan", RS_FLOAT, kAfterDot},
    {"NaN", RS_FLOAT, kAfterDot}, {"NAN", RS_FLOAT, kAfterDot},
};
enum { kWordCount = sizeof kWord / sizeof kWord[0], kFirstAfterDot = 10 };

static int8_t keep(ResultSchema *result, ResultSchema kind, int state) {
  *result = kind;
  return (int8_t)state;
}

// White space after a scalar changes nothing; any other character makes it a string for good.
static int8_t freeze(int32_t c, ResultSchema *result) {
  if (c != '\r' && c != '\n' && c != ' ' && c != 0) *result = RS_STR;
  return SCH_STT_FRZ;
}

// On with the first word that starts like `word` up to `seen` and goes on with `c`.
static int8_t continue_word(int word, int seen, int32_t c, ResultSchema *result) {
  for (int other = word; other < kWordCount; ++other) {
    if (kWord[other].after != kWord[word].after) continue;
    if (strncmp(kWord[other].text, kWord[word].text, (size_t)seen) != 0) continue;
    if (c == 0 || kWord[other].text[seen] != c) continue;
    const ResultSchema kind = kWord[other].text[seen + 1] == 0 ? kWord[other].kind : RS_STR;
    return keep(result, kind, kWords + other * kWordLength + seen);
  }
  return freeze(c, result);
}

static int is_digit(int32_t c) { return '0' <= c && c <= '9'; }

static int8_t advance_number(int state, int32_t c, ResultSchema *result) {
  const int hex = is_digit(c) || ('A' <= c && c <= 'F') || ('a' <= c && c <= 'f');
  switch (state) {
    case kSign:
      if (c == '.') return keep(result, RS_STR, kDotSigned);
      if (is_digit(c)) return keep(result, RS_INT, kDigits);
      break;
    case kZero:
      if (c == 'o') return keep(result, RS_STR, kOctalMark);
      if (c == 'x') return keep(result, RS_STR, kHexMark);
      // fall through: else a number like any other
    case kDigits:
      if (c == '.') return keep(result, RS_FLOAT, kFraction);
      if (c == 'e' || c == 'E') return keep(result, RS_STR, kExponent);
      if (is_digit(c)) return keep(result, RS_INT, kDigits);
      break;
    case kFraction:
      if (c == 'e' || c == 'E') return keep(result, RS_STR, kExponent);
      if (is_digit(c)) return keep(result, RS_FLOAT, kFraction);
      break;
    case kExponent:
      if (c == '+' || c == '-') return keep(result, RS_STR, kExponentSign);
      // fall through: the sign is optional
    case kExponentSign:
    case kExponentDigits:
      if (is_digit(c)) return keep(result, RS_FLOAT, kExponentDigits);
      break;
    case kOctalMark:
    case kOctal:
      if ('0' <= c && c <= '7') return keep(result, RS_INT, kOctal);
      break;
    case kHexMark:
    case kHex:
      if (hex) return keep(result, RS_INT, kHex);
      break;
  }
  return freeze(c, result);
}

static int8_t adv_sch_stt(int8_t state, int32_t c, ResultSchema *result) {
  if (state == SCH_STT_FRZ) return freeze(c, result);
  if (state >= kWords) {
    const int word = (state - kWords) / kWordLength;
    return continue_word(word, (state - kWords) % kWordLength + 1, c, result);
  }
  if (state == kStart) {
    if (c == '.') return keep(result, RS_STR, kDot);
    if (c == '+' || c == '-') return keep(result, RS_STR, kSign);
    if (c == '0') return keep(result, RS_INT, kZero);
    if (is_digit(c)) return keep(result, RS_INT, kDigits);
    return continue_word(0, 0, c, result);
  }
  if (state == kDot || state == kDotSigned) {
    if (is_digit(c)) return keep(result, RS_FLOAT, kFraction);
    // Nothing is +nan.
    if (state == kDotSigned && (c == 'n' || c == 'N')) return freeze(c, result);
    return continue_word(kFirstAfterDot, 0, c, result);
  }
  return advance_number(state, c, result);
}
