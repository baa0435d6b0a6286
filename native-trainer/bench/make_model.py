"""A GGUF file with random weights in the shape of SmolLM2-135M, and pairs of random token ids.

    python make_model.py model BF16|Q8_0 OUT.gguf
    python make_model.py pairs N PROMPT RESPONSE OUT.jsonl
"""
import json
import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants

N_LAYER, N_EMBD, N_FF, N_HEAD, N_HEAD_KV, HEAD_DIM, N_VOCAB = 30, 576, 1536, 9, 3, 64, 49152


def write_model(type_name, path):
    random = np.random.default_rng(0)
    quantisation = GGMLQuantizationType[type_name]
    writer = GGUFWriter(path, "llama")
    writer.add_name("random weights, SmolLM2-135M shape")
    writer.add_block_count(N_LAYER)
    writer.add_context_length(8192)
    writer.add_embedding_length(N_EMBD)
    writer.add_feed_forward_length(N_FF)
    writer.add_head_count(N_HEAD)
    writer.add_head_count_kv(N_HEAD_KV)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(100000.0)
    writer.add_layer_norm_rms_eps(1e-5)

    def matrix(name, n_out, n_in):
        values = (random.standard_normal((n_out, n_in), dtype=np.float32) * 0.02)
        writer.add_tensor(name, quants.quantize(values, quantisation), raw_dtype=quantisation)

    def ones(name):
        writer.add_tensor(name, np.ones(N_EMBD, dtype=np.float32))

    matrix("token_embd.weight", N_VOCAB, N_EMBD)
    ones("output_norm.weight")
    for i in range(N_LAYER):
        ones(f"blk.{i}.attn_norm.weight")
        matrix(f"blk.{i}.attn_q.weight", N_HEAD * HEAD_DIM, N_EMBD)
        matrix(f"blk.{i}.attn_k.weight", N_HEAD_KV * HEAD_DIM, N_EMBD)
        matrix(f"blk.{i}.attn_v.weight", N_HEAD_KV * HEAD_DIM, N_EMBD)
        matrix(f"blk.{i}.attn_output.weight", N_EMBD, N_HEAD * HEAD_DIM)
        ones(f"blk.{i}.ffn_norm.weight")
        matrix(f"blk.{i}.ffn_gate.weight", N_FF, N_EMBD)
        matrix(f"blk.{i}.ffn_up.weight", N_FF, N_EMBD)
        matrix(f"blk.{i}.ffn_down.weight", N_EMBD, N_FF)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_pairs(n, n_prompt, n_response, path):
    random = np.random.default_rng(0)
    with open(path, "w") as out:
        for _ in range(n):
            row = {key: random.integers(3, N_VOCAB, size).tolist() for key, size in (("prompt", n_prompt), ("chosen", n_response), ("rejected", n_response))}
            out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "model":
        write_model(sys.argv[2], sys.argv[3])
    else:
        write_pairs(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
