// What this user measured, as `models recommend` takes it: the figures of `models measure` and the
// summaries of `bench`.
#pragma once

#include <string>
#include <vector>

#include "advice/own_figures.h"
#include "cli/context.h"

namespace tinyarms::cli {

// Of models that the catalogue knows, by the names of their files. Errors: those of the store and
// of reading a summary; InvalidArgument (a summary in which no such model was asked anything of
// that task).
Result<advice::OwnFigures> own_figures(const advice::Catalogue& catalogue, advice::Role task,
                                       const std::vector<std::string>& summaries,
                                       const Context& context);

}  // namespace tinyarms::cli
