// Every loss there is.
#include "losses.h"

const std::vector<const loss_spec *> & loss_specs() {
    static const std::vector<const loss_spec *> specs = {&LOSS_ORPO, &LOSS_EXO, &LOSS_DPO, &LOSS_ROBUST, &LOSS_IPO, &LOSS_SIMPO, &LOSS_SFT};
    return specs;
}

const loss_spec * loss_find(const std::string & name) {
    for (const loss_spec * spec : loss_specs()) {
        if (name == spec->name) {
            return spec;
        }
    }
    return nullptr;
}

loss_settings loss_defaults(const loss_spec & spec) {
    loss_settings s;
    for (const loss_setting & setting : spec.settings) {
        s.*setting.field = setting.value;
    }
    return s;
}

double loss_value_nowhere(const loss_settings &) {
    return NAN;
}

bool loss_rows_of_responses(const loss_settings &) {
    return false;
}
