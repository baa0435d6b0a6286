"""One training run with TRL and PEFT in this process: LoRA on a Llama of a known shape with random weights, one pair a step.

    python trl_steps.py --pairs pairs.jsonl --loss orpo|exo --dtype fp32|bf16-autocast|bf16 --steps N --warmup N --threads N
    python trl_steps.py --serve        on CUDA where there is a card: a run for each line of stdin, {"shape", "loss", "pairs", "dtype", "steps", "warmup"}

Prints one JSON line a run: seconds of each measured step, peak resident memory of the process, or of the device, in MiB.
"""
import argparse
import gc
import json
import os
import resource
import sys
import tempfile
import time
import warnings


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--shape", default="smollm2-135m")
    parser.add_argument("--pairs")
    parser.add_argument("--loss", choices=["orpo", "exo"])
    parser.add_argument("--dtype", choices=["fp32", "bf16-autocast", "bf16"])
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


ARGS = arguments()
os.environ.update(OMP_NUM_THREADS=str(ARGS.threads), MKL_NUM_THREADS=str(ARGS.threads), HF_HUB_OFFLINE="1",
                  TRL_EXPERIMENTAL_SILENCE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")

import torch
import trl
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, PrinterCallback, TrainerCallback
from trl import DPOConfig, DPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

SHAPES = {
    "smollm2-135m": dict(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
                         num_key_value_heads=3, tie_word_embeddings=True),
    "llama-3.2-3b": dict(vocab_size=128256, hidden_size=3072, intermediate_size=8192, num_hidden_layers=28, num_attention_heads=24,
                         num_key_value_heads=8, tie_word_embeddings=True),
    "llama-3.1-8b": dict(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
                         num_key_value_heads=8, tie_word_embeddings=False),
}
DEVICE = "cuda" if ARGS.serve and torch.cuda.is_available() else "cpu"


class OrpoOnIds(ORPOTrainer):
    """The pairs are token ids already."""

    def tokenize_row(self, feature, model=None):
        prompt = feature["prompt"]
        row = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
        for side in ("chosen", "rejected"):
            ids = prompt + feature[side]
            row[f"{side}_input_ids"] = ids
            row[f"{side}_attention_mask"] = [1] * len(ids)
            row[f"{side}_labels"] = [-100] * len(prompt) + feature[side]
        return row


class ExoOnIds(DPOTrainer):
    def _prepare_dataset(self, dataset, *_args, **_kwargs):
        return dataset.map(lambda row: {f"{key}_ids": row[key] for key in ("prompt", "chosen", "rejected")}, remove_columns=dataset.column_names)


class Clock(TrainerCallback):
    def __init__(self):
        self.seconds = []

    def now(self):
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def on_step_begin(self, *_args, **_kwargs):
        self.start = self.now()

    def on_step_end(self, *_args, **_kwargs):
        self.seconds.append(self.now() - self.start)


def make_model():
    config = LlamaConfig(**SHAPES[ARGS.shape], rms_norm_eps=1e-5, max_position_embeddings=8192,
                         rope_parameters={"rope_type": "default", "rope_theta": 100000.0}, pad_token_id=0, bos_token_id=1, eos_token_id=2)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16 if ARGS.dtype == "bf16" else torch.float32)
    with torch.device(DEVICE):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    return model


def make_tokenizer():
    words = {word: i for i, word in enumerate(["<pad>", "<s>", "</s>", "<unk>"])}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="<unk>")), pad_token="<pad>", bos_token="<s>", eos_token="</s>")


def make_trainer(clock):
    with open(ARGS.pairs) as lines:
        pairs = [{key: pair[key] for key in ("prompt", "chosen", "rejected")} for pair in map(json.loads, lines)]
    steps = ARGS.warmup + ARGS.steps
    common = dict(output_dir=tempfile.mkdtemp(), use_cpu=DEVICE == "cpu", bf16=ARGS.dtype != "fp32", gradient_checkpointing=ARGS.checkpointing, report_to="none",
                  per_device_train_batch_size=1, gradient_accumulation_steps=1, max_steps=steps, learning_rate=1e-4, lr_scheduler_type="constant",
                  warmup_steps=0, weight_decay=0.0, max_grad_norm=1.0, logging_steps=1000, save_strategy="no", disable_tqdm=True,
                  dataloader_pin_memory=False, remove_unused_columns=False, max_length=4096, beta=0.1)
    lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, task_type="CAUSAL_LM",
                      target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    shared = dict(model=make_model(), train_dataset=Dataset.from_list(pairs), processing_class=make_tokenizer(), peft_config=lora, callbacks=[clock])
    if ARGS.loss == "orpo":
        trainer = OrpoOnIds(args=ORPOConfig(**common), **shared)
    else:
        trainer = ExoOnIds(args=DPOConfig(**common, loss_type=["exo_pair"], label_smoothing=5e-3), **shared)
    trainer.remove_callback(PrinterCallback)
    return trainer


def run():
    clock = Clock()
    trainer = make_trainer(clock)
    trainer.train()
    return clock.seconds[ARGS.warmup:]


def serve():
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not the answer
    on_cuda = DEVICE == "cuda"
    torch.zeros(1, device=DEVICE)  # the device's own share of its memory
    print(json.dumps({"torch": torch.__version__, "trl": trl.__version__, "device": torch.cuda.get_device_name() if on_cuda else DEVICE}), file=out, flush=True)
    for line in sys.stdin:
        for key, value in json.loads(line).items():
            setattr(ARGS, key, value)
        if on_cuda:
            torch.cuda.reset_peak_memory_stats()
        seconds = run()
        print(json.dumps({"seconds": seconds, "deviceMib": torch.cuda.max_memory_reserved() / 2**20 if on_cuda else 0}), file=out, flush=True)
        gc.collect()
        if on_cuda:
            torch.cuda.empty_cache()


def main():
    torch.set_num_threads(ARGS.threads)
    if ARGS.serve:
        return serve()
    seconds = run()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peakMib": peak_mib}))


if __name__ == "__main__":
    sys.exit(main())
