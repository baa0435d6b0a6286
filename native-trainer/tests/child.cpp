#include "child.h"

#include "common.h"

child child_start(const json & config) {
    const std::string path = tmp_file("child.json");
    write_text(path, config.dump());
    child c;
    check(child_spawn(c, TEST_TRAINER, {"train", path}), "the trainer starts");
    return c;
}

bool child_line(const child & c, std::string & line) {
    line.clear();
    for (int byte; (byte = getc(c.from)) != EOF;) {
        if (byte == '\n') {
            return true;
        }
        line += (char) byte;
    }
    return false;
}
