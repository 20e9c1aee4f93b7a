// Whether looking at a draft is worth its price: what the larger model's answer will take with the
// draft, over what it takes without, foretold from measured speeds and from how far drafts like
// this one agreed before.
#pragma once

#include <string>

namespace tinyarms::cascade {

struct Speeds {
  double prefill = 0;  // tokens a second; 0: not measured
  double decode = 0;
};

// How far drafts agree: a draft's tokens are taken as agreeing one by one, each with the same
// chance, until the first that does not. Starts as if 8 tokens had agreed and one had not.
class AgreementMemory {
 public:
  void add(int agreed, bool parted);
  void skip();            // a draft was not looked at: what was seen counts a little less
  double chance() const;  // of one more token agreeing

 private:
  static constexpr double kAgreedFirst = 8;
  double agreed_ = kAgreedFirst;
  double partings_ = 1;
};

struct DraftForecast {
  double ratio = 1;          // time with the draft ÷ time without
  double agreed = 0;         // tokens expected to stand
  bool worth_it = false;     // ratio ≤ 1
  std::string explanation;   // for the trace
};

struct DraftQuestion {
  double prompt_tokens = 0;
  double draft_tokens = 0;   // the answer is expected to be as long
  double agreement = 0;      // AgreementMemory::chance
  Speeds speeds;             // of the model that would look at it
};

// A draft is looked at in pieces that begin at 8 tokens and double while they agree, so that one
// of no use costs a few tokens of prefill. Speeds that were not measured: worth it.
DraftForecast foretell(const DraftQuestion& question);

}  // namespace tinyarms::cascade
