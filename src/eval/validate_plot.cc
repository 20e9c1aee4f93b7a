#include <fmt/format.h>

#include "eval/validate.h"
#include "plots/svg.h"

namespace tinyarms::eval {
namespace {

double megabytes(const ModelResult& model) { return static_cast<double>(model.file_bytes) / 1e6; }

// Lower left is better: small files that predict what the reference predicts.
plots::XyChart divergence_chart(const Validation& validation) {
  plots::XyChart chart;
  chart.title = fmt::format("Divergence from {} over size", validation.reference.file.name);
  chart.x.label = "file, MB";
  chart.y = {.label = "mean divergence, nats", .logarithmic = true};
  plots::Series series{.name = "mean divergence", .points = {}, .line = false};
  for (const ModelResult& model : validation.candidates) {
    if (!model.language || model.language->divergence_mean <= 0) continue;
    series.points.push_back({megabytes(model), model.language->divergence_mean, {},
                             model.file.name});
  }
  chart.series.push_back(std::move(series));
  return chart;
}

plots::XyChart correlation_chart(const Validation& validation) {
  plots::XyChart chart;
  chart.title = "Correlation with people's scores over size";
  chart.x.label = "file, MB";
  chart.y.label = "Spearman";
  plots::Series series{.name = "Spearman", .points = {}, .line = false};
  const auto add = [&](const ModelResult& model) {
    if (!model.encoder) return;
    const Interval& interval = model.encoder->spearman_interval;
    series.points.push_back({megabytes(model), model.encoder->spearman,
                             plots::Range{interval.low, interval.high}, model.file.name});
  };
  add(validation.reference);
  for (const ModelResult& model : validation.candidates) add(model);
  chart.series.push_back(std::move(series));
  return chart;
}

}  // namespace

std::string validation_as_svg(const Validation& validation) {
  const bool encoder = validation.reference.encoder.has_value();
  return plots::svg_document(
      plots::svg(encoder ? correlation_chart(validation) : divergence_chart(validation)));
}

}  // namespace tinyarms::eval
