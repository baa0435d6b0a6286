// The loss as the config writes it: "loss" is a name, with its settings beside it, or a list of {name, weight, settings}.
#pragma once

#include "config-reader.h"
#include "loss.h"

loss_sum loss_read(object_reader & config);
loss_sum loss_from_json(const json & object); // the same for an object that has these keys alone

// The keys that decide the numbers of a loss, for config_identity.
json loss_identity(const loss_sum & sum);

std::string losses_with_reference(); // "exo", "dpo" ... for hints
