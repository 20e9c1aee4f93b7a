// What is below `tinyarms models`, one file a command; models_command.cc adds them.
#pragma once

#include <optional>
#include <string>

#include "advice/catalogue.h"
#include "cli/context.h"

namespace tinyarms::cli {

void add_models_catalog(CLI::App& models, Context& context);
void add_models_plan(CLI::App& models, Context& context);
void add_models_recommend(CLI::App& models, Context& context);

// The bundled catalogue under that of the user's configuration folder; what is wrong in it is told.
advice::Catalogue load_catalogue(const Context& context);

// "12.3 GB", "98.4 MB".
std::string size_text(uint64_t bytes);

// Shows the entry "NAME" or "NAME:QUANTISATION"; false where the catalogue has no such name.
bool show_catalogue_model(const std::string& name, bool json, Context& context);

}  // namespace tinyarms::cli
