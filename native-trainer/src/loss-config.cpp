#include "loss-config.h"

static const size_t MAX_PARTS = 16;

static std::string list_names(bool (*wanted)(const loss_spec &)) {
    std::string names;
    for (const loss_spec * spec : loss_specs()) {
        names += wanted(*spec) ? (names.empty() ? "\"" : ", \"") + std::string(spec->name) + "\"" : "";
    }
    return names;
}

std::string losses_with_reference() {
    return list_names([](const loss_spec & spec) { return spec.needs_reference; });
}

static const loss_setting * find_setting(const loss_spec & spec, const std::string & key) {
    for (const loss_setting & setting : spec.settings) {
        if (key == setting.key) {
            return &setting;
        }
    }
    return nullptr;
}

// "beta with "dpo", "ipo" ..."
static std::string losses_with_setting(const std::string & key) {
    std::string names;
    for (const loss_spec * spec : loss_specs()) {
        names += find_setting(*spec, key) ? (names.empty() ? "\"" : ", \"") + std::string(spec->name) + "\"" : "";
    }
    return names;
}

static std::set<std::string> all_keys() {
    std::set<std::string> keys;
    for (const loss_spec * spec : loss_specs()) {
        for (const loss_setting & setting : spec->settings) {
            keys.insert(setting.key);
        }
    }
    return keys;
}

static const loss_spec & spec_named(const object_reader & reader, const char * key, const json & name) {
    const loss_spec * spec = name.is_string() ? loss_find(name.get<std::string>()) : nullptr;
    if (!spec) {
        reader.fail(key, "one of " + list_names([](const loss_spec &) { return true; }));
    }
    return *spec;
}

// Its own settings are read; one of another loss would do nothing, which is hardly what was meant.
static loss_settings read_settings(object_reader & reader, const loss_spec & spec) {
    loss_settings s = loss_defaults(spec);
    for (const std::string & key : all_keys()) {
        const loss_setting * setting = find_setting(spec, key);
        if (!setting && reader.find(key)) {
            fail_input("CONFIG", "config: " + reader.prefix + key + " is no setting of the loss \"" + spec.name + "\"", "Leave it out; it goes with " + losses_with_setting(key) + ".");
        }
        if (setting && setting->is_flag) {
            bool flag = setting->value != 0;
            reader.flag(key, flag);
            s.*setting->field = flag;
        } else if (setting) {
            reader.number(key, s.*setting->field, setting->low, setting->high);
        }
    }
    return s;
}

static loss_part read_part(const json & entry, size_t index) {
    const std::string where = "loss[" + std::to_string(index) + "]";
    object_reader reader{object_check(entry, "config: " + where), where + "."};
    const json * name = reader.find("name");
    if (!name) {
        fail_input("CONFIG", "config: " + where + ".name is missing", "Write {\"name\": \"dpo\", \"weight\": 1}.");
    }
    const loss_spec & spec = spec_named(reader, "name", *name);
    double weight = 1;
    reader.number("weight", weight, 1e-9, 1e6);
    const loss_settings settings = read_settings(reader, spec);
    reader.finish();
    return {&spec, weight, settings};
}

static loss_sum read_list(object_reader & config, const json & list) {
    if (list.empty() || list.size() > MAX_PARTS) {
        config.fail("loss", "a name or a list of 1 to " + std::to_string(MAX_PARTS) + " losses");
    }
    for (const std::string & key : all_keys()) {
        if (config.find(key)) {
            fail_input("CONFIG", "config: " + key + " stands beside a list of losses, each of which has settings of its own", "Write " + key + " into the entry of the list that it belongs to.");
        }
    }
    loss_sum sum;
    for (size_t i = 0; i < list.size(); i++) {
        sum.push_back(read_part(list[i], i));
    }
    return sum;
}

loss_sum loss_read(object_reader & config) {
    const json * loss = config.find("loss");
    if (loss && loss->is_array()) {
        return read_list(config, *loss);
    }
    const loss_spec & spec = loss ? spec_named(config, "loss", *loss) : *loss_specs().front();
    return {{&spec, 1, read_settings(config, spec)}};
}

loss_sum loss_from_json(const json & object) {
    object_reader reader{object, ""};
    const loss_sum sum = loss_read(reader);
    reader.finish();
    return sum;
}

static void write_settings(json & to, const loss_part & part) {
    for (const loss_setting & setting : part.spec->settings) {
        const double value = part.settings.*setting.field;
        to[setting.key] = setting.is_flag ? json(value != 0) : json(value);
    }
}

json loss_identity(const loss_sum & sum) {
    json identity = json::object();
    if (sum.size() == 1 && sum[0].weight == 1) {
        identity["loss"] = sum[0].spec->name;
        write_settings(identity, sum[0]);
        return identity;
    }
    json list = json::array();
    for (const loss_part & part : sum) {
        json entry = {{"name", part.spec->name}, {"weight", part.weight}};
        write_settings(entry, part);
        list.push_back(entry);
    }
    identity["loss"] = list;
    return identity;
}
