#include "bench.h"

#include <algorithm>

#include "model.h"

namespace tinyarms::bench {
namespace {

// Filled before main() by the registrations of all files; read afterwards only.
std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

}  // namespace

bool Figure::met() const {
  switch (kind) {
    case Goal::RatioAtLeast: return ratio && *ratio >= goal;
    case Goal::RatioAtMost: return ratio && *ratio <= goal;
    case Goal::OursAtMost: return ours <= goal;
  }
  return false;
}

std::vector<Entry> registered() {
  std::vector<Entry> all = entries();
  std::sort(all.begin(), all.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return all;
}

Registration::Registration(std::string name, std::string purpose, Run run) {
  entries().push_back({std::move(name), std::move(purpose), std::move(run)});
}

double quantile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1) + 0.5)];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Bench::Bench(Options options) : options_(std::move(options)) {}
Bench::~Bench() = default;

Result<Model*> Bench::small_model() {
  if (!small_) {
    auto model = Model::open("smollm2-135m-q4_1",
                             options_.deps / "models" / "smollm2-135m-instruct.q4_1.gguf",
                             options_.threads);
    if (!model) return model.error();
    small_ = std::move(*model);
  }
  return small_.get();
}

Result<Model*> Bench::large_model() {
  if (!large_) {
    const Shape shape = smoke() ? kSmokeShape : kQwenCoder3B;
    auto file = write_shape(shape, options_.cache);
    if (!file) return file.error();
    auto model = Model::open(shape.name, *file, options_.threads);
    if (!model) return model.error();
    large_ = std::move(*model);
  }
  return large_.get();
}

}  // namespace tinyarms::bench
