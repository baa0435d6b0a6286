// make-random-model SHAPE TYPE OUT.gguf [EMBD_TYPE]: a GGUF file with random weights in the shape of a known model, to measure time and memory; "tiny" for tests.
// make-random-model pairs N P C R N_VOCAB OUT.jsonl: random pairs of P prompt, C chosen and R rejected tokens.
#include "random-model.h"

#include "protocol.h"

#include <cstdlib>
#include <cstring>

static ggml_type type_from_name(const char * name) {
    for (int t = 0; t < GGML_TYPE_COUNT; t++) {
        if (ggml_type_name((ggml_type) t) && strcmp(ggml_type_name((ggml_type) t), name) == 0) {
            return (ggml_type) t;
        }
    }
    fprintf(stderr, "unknown type %s\n", name);
    exit(2);
}

static random_model shape_from_name(const char * name) {
    random_model m;
    if (strcmp(name, "tiny") == 0) {
        return m;
    }
    if (strcmp(name, "smollm2-135m") == 0) {
        m.n_layer = 30; m.n_embd = 576; m.n_ff = 1536; m.n_head = 9; m.n_head_kv = 3; m.head_dim = 64; m.n_vocab = 49152;
    } else if (strcmp(name, "llama-3.2-3b") == 0) {
        m.n_layer = 28; m.n_embd = 3072; m.n_ff = 8192; m.n_head = 24; m.n_head_kv = 8; m.head_dim = 128; m.n_vocab = 128256;
    } else if (strcmp(name, "llama-3.2-1b") == 0) {
        m.n_layer = 16; m.n_embd = 2048; m.n_ff = 8192; m.n_head = 32; m.n_head_kv = 8; m.head_dim = 64; m.n_vocab = 128256;
    } else if (strcmp(name, "llama-3.1-8b") == 0) {
        m.n_layer = 32; m.n_embd = 4096; m.n_ff = 14336; m.n_head = 32; m.n_head_kv = 8; m.head_dim = 128; m.n_vocab = 128256; m.tied = false;
    } else {
        fprintf(stderr, "unknown shape %s (tiny, smollm2-135m, llama-3.2-1b, llama-3.2-3b, llama-3.1-8b)\n", name);
        exit(2);
    }
    return m;
}

int main(int argc, char ** argv) {
    try {
        if (argc == 8 && strcmp(argv[1], "pairs") == 0) {
            random_pairs_write(argv[7], atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoll(argv[6]));
            return 0;
        }
        if (argc == 4 || argc == 5) {
            random_model m = shape_from_name(argv[1]);
            m.type = type_from_name(argv[2]);
            m.embd_type = argc == 5 ? type_from_name(argv[4]) : m.type;
            random_model_write(m, argv[3]);
            return 0;
        }
    } catch (const failure & f) {
        fprintf(stderr, "%s\n", f.message.c_str());
        return 1;
    }
    fprintf(stderr, "usage: make-random-model SHAPE TYPE OUT.gguf [EMBD_TYPE] | make-random-model pairs N P C R N_VOCAB OUT.jsonl\n");
    return 2;
}
