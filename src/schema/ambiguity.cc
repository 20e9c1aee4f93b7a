#include "schema/ambiguity.h"

#include <algorithm>
#include <array>
#include <compare>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tinyarms::schema {
namespace {

using Form = nlohmann::ordered_json;

constexpr size_t kTogetherMax = 64;
constexpr int kGatherDepthMax = 128;   // alternatives within or behind one another
constexpr int kAmbiguityWorkMax = 200'000;
constexpr size_t kValuesComparedMax = 64;
constexpr std::array<const char*, 4> kInner = {"properties", "additionalProperties", "items",
                                               "prefixItems"};

struct Candidate {
  const Form* form;
  bool whole;  // its properties are all of the object's: it is no part of an "allOf"
  auto operator<=>(const Candidate&) const = default;
};

// Sorted; the same schema counts as often as there are ways to it.
using Together = std::vector<Candidate>;

const Form* part_of(const Form& form, const char* name) {
  const auto found = form.find(name);
  return found == form.end() ? nullptr : &*found;
}

bool holds_inner(const Form& form) {
  return std::any_of(kInner.begin(), kInner.end(),
                     [&](const char* name) { return form.contains(name); });
}

// The values that it consists of where it says so and nothing overrules that.
std::vector<Form> values_of(const Form& form) {
  for (const char* name : {"$ref", "anyOf", "oneOf", "allOf"}) {
    if (form.contains(name)) return {};
  }
  const Form* type = part_of(form, "type");
  if (holds_inner(form) || (type != nullptr && type->is_array())) return {};
  if (const Form* same = part_of(form, "const")) return {*same};
  const Form* list = part_of(form, "enum");
  if (list == nullptr || !list->is_array() || list->size() > kValuesComparedMax) return {};
  return std::vector<Form>(list->begin(), list->end());
}

bool are_apart(const Form& one, const Form& other) {
  const std::vector<Form> ones = values_of(one);
  const std::vector<Form> others = values_of(other);
  return !ones.empty() && !others.empty() &&
         std::none_of(ones.begin(), ones.end(), [&](const Form& value) {
           return std::find(others.begin(), others.end(), value) != others.end();
         });
}

// Walks through all that may be followed at once, from bracket to bracket.
class Crowds {
 public:
  explicit Crowds(const Form& root) : root_(root) {}

  // Those to be opened to any value; nothing where the work was too much.
  std::optional<std::set<const Form*>> crowded() {
    Together first;
    if (!gather(root_, true, 0, first)) return std::nullopt;
    arrive(std::move(first));
    while (!waiting_.empty()) {
      const Together here = std::move(waiting_.back());
      waiting_.pop_back();
      if (!leave(here)) {
        for (const Candidate& each : here) {
          if (each.form->is_object() && holds_inner(*each.form)) opened_.insert(each.form);
        }
        leave(here);  // to any value, as many as they are
      }
      if (work_ > kAmbiguityWorkMax) return std::nullopt;
    }
    return std::move(opened_);
  }

 private:
  void arrive(Together together) {
    std::sort(together.begin(), together.end());
    if (seen_.insert(together).second) waiting_.push_back(std::move(together));
  }

  // What `form` may be. False: too much.
  bool gather(const Form& form, bool whole, int depth, Together& into) {
    if (++work_ > kAmbiguityWorkMax || depth > kGatherDepthMax) return false;
    work_ += static_cast<int>(form.size() / 4);
    bool stands = true;
    if (form.is_object() && !opened_.contains(&form)) {
      for (const auto& [name, value] : form.items()) {
        if (name == "$ref") {
          stands = false;
          const Form* target = referred_form(value);
          if (target != nullptr && !gather(*target, whole, depth + 1, into)) return false;
        } else if (value.is_array() && (name == "anyOf" || name == "oneOf" || name == "allOf")) {
          stands = false;
          for (const Form& each : value) {
            if (!gather(each, whole && name != "allOf", depth + 1, into)) return false;
          }
        }
      }
      stands = stands || holds_inner(form);
    }
    if (stands) into.push_back({&form, whole});
    return into.size() <= kTogetherMax;
  }

  const Form* referred_form(const Form& reference) {
    const auto [found, is_new] = referred_.try_emplace(&reference, nullptr);
    if (!is_new || !reference.is_string()) return found->second;
    try {
      const Form::json_pointer place(reference.get<std::string>().substr(1));
      if (root_.contains(place)) found->second = &root_.at(place);
    } catch (const Form::exception&) {  // the conversion says so
    }
    return found->second;
  }

  // False where more than the limit would be behind one of the brackets.
  bool leave(const Together& here) {
    size_t places = 0;
    for (const Candidate& each : here) {
      if (const Form* list = tuple_of(each)) places = std::max(places, list->size());
    }
    for (size_t place = 0; place <= places; ++place) {
      Together next;
      for (const Candidate& each : here) {
        const Form* inner = element_of(each, place);
        if (inner != nullptr && !gather(*inner, true, 0, next)) return false;
      }
      if (!next.empty()) arrive(std::move(next));
    }
    if (!leave_by_key(here, nullptr, "", nullptr)) return false;
    for (const Candidate& each : here) {
      const Form* known = is_open(each) ? nullptr : part_of(*each.form, "properties");
      if (known == nullptr || !known->is_object()) continue;
      for (const auto& [key, inner] : known->items()) {
        if (!leave_by_key(here, &each, key, &inner)) return false;
      }
    }
    return true;
  }

  // To the values of `key` of those that may be followed together with `anchor`; without one, to
  // those of a key that none names.
  bool leave_by_key(const Together& here, const Candidate* anchor, const std::string& key,
                    const Form* anchored) {
    Together next;
    for (const Candidate& each : here) {
      if (++work_ > kAmbiguityWorkMax) return false;
      const bool is_anchor = &each == anchor;
      const Form* inner =
          is_anchor ? anchored : member_for(each, anchor == nullptr ? nullptr : &key);
      if (inner == nullptr) continue;
      if (anchor != nullptr && !is_anchor && !may_meet(*anchor, each, key)) continue;
      if (!gather(*inner, true, 0, next)) return false;
    }
    if (!next.empty()) arrive(std::move(next));
    return true;
  }

  // Whether it may be an object or a list of anything.
  bool is_open(const Candidate& one) const {
    const Form& form = *one.form;
    if (!form.is_object() || opened_.contains(&form)) return true;
    if (holds_inner(form) || form.contains("const") || form.contains("enum")) return false;
    const Form* type = part_of(form, "type");
    const auto is_inner = [](const Form& name) { return name == "object" || name == "array"; };
    if (type == nullptr || !type->is_array()) return type == nullptr || is_inner(*type);
    return std::any_of(type->begin(), type->end(), is_inner);
  }

  const Form* tuple_of(const Candidate& one) const {
    if (is_open(one)) return nullptr;
    const Form* list = part_of(*one.form, "prefixItems");
    if (list == nullptr) list = part_of(*one.form, "items");
    return list != nullptr && list->is_array() ? list : nullptr;
  }

  const Form* element_of(const Candidate& one, size_t place) const {
    if (is_open(one)) return &any_;
    const Form* list = tuple_of(one);
    if (list != nullptr && place < list->size()) return &(*list)[place];
    const Form* items = part_of(*one.form, "items");
    return items != nullptr && items->is_object() ? items : nullptr;
  }

  const Form* member_for(const Candidate& one, const std::string* key) {
    if (is_open(one)) return &any_;
    const Form* known = part_of(*one.form, "properties");
    if (key != nullptr && known != nullptr && known->is_object()) {
      work_ += static_cast<int>(known->size() / 16);
      if (const auto found = known->find(*key); found != known->end()) return &*found;
    }
    const Form* others = part_of(*one.form, "additionalProperties");
    return others == nullptr || *others == false ? nullptr : others;
  }

  // The grammar writes what is required first and in its order: two whose texts differ before
  // `key` are never followed at once behind it.
  bool may_meet(const Candidate& one, const Candidate& other, const std::string& key) {
    if (!one.whole || !other.whole || is_open(one) || is_open(other)) return true;
    const auto ones = before(*one.form, key);
    const auto others = before(*other.form, key);
    for (size_t i = 0; i < std::min(ones.size(), others.size()); ++i) {
      if (*ones[i].first != *others[i].first) return false;
      if (are_apart(*ones[i].second, *others[i].second)) return false;
    }
    return true;
  }

  // What of `form` comes before `key` for certain.
  std::vector<std::pair<const std::string*, const Form*>> before(const Form& form,
                                                                 const std::string& key) {
    std::vector<std::pair<const std::string*, const Form*>> sure;
    const Form* known = part_of(form, "properties");
    const Form* required = part_of(form, "required");
    if (known == nullptr || !known->is_object() || required == nullptr) return sure;
    for (auto each = known->begin(); each != known->end(); ++each) {
      work_ += 1 + static_cast<int>(required->size() / 16);
      if (std::find(required->begin(), required->end(), each.key()) == required->end()) continue;
      if (each.key() == key) break;
      sure.emplace_back(&each.key(), &each.value());
    }
    return sure;
  }

  const Form& root_;
  const Form any_ = Form::object();
  std::map<const Form*, const Form*> referred_;
  std::set<const Form*> opened_;
  std::set<Together> seen_;
  std::vector<Together> waiting_;
  int work_ = 0;
};

void open_all(Form& form, const std::set<const Form*>& opened) {
  if (opened.contains(&form)) {
    form = Form::object();
  } else if (form.is_structured()) {
    for (Form& each : form) open_all(each, opened);
  }
}

}  // namespace

void limit_ambiguity(nlohmann::ordered_json& root) {
  const auto opened = Crowds(root).crowded();
  if (opened) {
    open_all(root, *opened);
  } else {
    root = Form::object();
  }
}

}  // namespace tinyarms::schema
