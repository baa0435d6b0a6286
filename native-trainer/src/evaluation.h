// The loss of pairs that are not trained on (eval_pairs), with the adapter as it is between two steps.
#pragma once

#include "run.h"

// At the start, at the end, and after every eval_every_steps steps; once for each of them, however often a run is interrupted.
bool evaluation_due(const run & r, const train_state & s);
// Emits `evaluation`. Changes nothing that training reads. Returns false when asked to stop before all pairs were done.
bool evaluate(run & r, train_state & s);
