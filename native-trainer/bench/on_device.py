"""Golden numbers and speed of native-trainer on one device, as a table.

    python3 bench/on_device.py --trainer build/native-trainer --device cuda0 golden
    python3 bench/on_device.py --trainer build/native-trainer --device cuda0 speed --tool build/make-random-model --trl

golden: the numbers of TRL in test/fixtures/reference, with the largest error reached. speed: models with random weights
in real shapes, LoRA r = 16 on all seven layers, one pair a step; the first steps of each run are left out. With --trl, TRL (which
must be importable, with torch for CUDA) runs the same shapes and pairs in BF16, in turn with the trainer.
"""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/reference"
SUITES = [("", "llama"), ("-tied", "llama tied"), ("-qwen2", "qwen2"), ("-qwen3", "qwen3"), ("-smollm3", "smollm3"), ("-gemma3", "gemma3")]
N_VOCAB = {"smollm2-135m": 49152, "llama-3.2-3b": 128256, "llama-3.1-8b": 128256}
# shape, types (of the embeddings, too, where they differ), loss, tokens of prompt and of each response
CASES = [
    ("smollm2-135m", ["bf16", "q8_0"], "orpo", 128, 192),
    ("smollm2-135m", ["bf16", "q8_0"], "orpo", 256, 384),
    ("smollm2-135m", ["bf16", "q8_0"], "orpo", 512, 768),
    ("smollm2-135m", ["bf16", "q8_0"], "exo", 256, 384),
    ("llama-3.2-3b", ["q4_K+q6_K", "q8_0", "f16"], "orpo", 256, 384),
    ("llama-3.2-3b", ["q4_K+q6_K", "q8_0", "f16"], "orpo", 512, 768),
    ("llama-3.2-3b", ["q4_K+q6_K"], "exo", 256, 384),
    ("llama-3.1-8b", ["q4_K+q6_K", "q8_0"], "orpo", 256, 384),
    ("llama-3.1-8b", ["q4_K+q6_K"], "orpo", 512, 768),
]


def run(options, command, config):
    config = {"device": options.device, **config}
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(config, file)
    done = subprocess.run([options.trainer, command, file.name], capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}: {events[-1:]} {done.stderr[-2000:]}")
    return events


def read_adapter(path):
    """All F32 tensors of a small GGUF file, one after the other by name."""
    data = pathlib.Path(path).read_bytes()
    n_tensors, n_kv = struct.unpack_from("<QQ", data, 8)
    at = 24

    def text():
        nonlocal at
        (n,) = struct.unpack_from("<Q", data, at)
        at += 8 + n
        return data[at - n:at].decode()

    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    for _ in range(n_kv):
        text()
        (kind,) = struct.unpack_from("<I", data, at)
        at += 4
        if kind == 8:
            text()
        else:
            at += sizes[kind]
    infos = []
    for _ in range(n_tensors):
        name = text()
        (n_dims,) = struct.unpack_from("<I", data, at)
        shape = struct.unpack_from(f"<{n_dims}Q", data, at + 4)
        kind, offset = struct.unpack_from("<IQ", data, at + 4 + 8 * n_dims)
        at += 16 + 8 * n_dims
        n = 1
        for length in shape:
            n *= length
        infos.append((name, n, offset))
    start = (at + 31) // 32 * 32
    return [x for name, n, offset in sorted(infos) for x in struct.unpack_from(f"<{n}f", data, start + offset)]


def values(options, suffix, loss, golden_pairs, extra):
    config = {"loss": loss, "precision": "f32", "model": str(FIXTURES / f"model{suffix}-f32.gguf"),
              "adapter_in": str(FIXTURES / f"adapter-init{suffix}.gguf"), "pairs": str(FIXTURES / "pairs.jsonl"), **extra}
    events = [e for e in run(options, "score", config) if e["event"] == "pair"]
    worst = 0.0
    for event, golden in zip(events, golden_pairs, strict=True):
        scale = max(1.0, abs(golden["chosen_logp_sum"]))
        for key in ("chosen_logp_sum", "rejected_logp_sum"):
            worst = max(worst, abs(event[key] - golden[key]) / scale)
        worst = max(worst, abs(event["loss"] - golden["loss"]) / max(1.0, abs(golden["loss"])))
    return worst


def trajectory(options, suffix, name, extra):
    golden = json.loads((FIXTURES / f"trajectory-{name}.json").read_text())
    out = tempfile.mktemp(suffix=".gguf")
    config = {"precision": "f32", "model": str(FIXTURES / f"model{suffix}-f32.gguf"), "pairs": str(FIXTURES / "pairs.jsonl"),
              "adapter_in": str(FIXTURES / f"adapter-init{suffix}.gguf"), "adapter_out": out, "learning_rate": golden["lr"],
              "gradient_accumulation_steps": golden["grad_accum"], "max_grad_norm": golden["clip"], "shuffle": False,
              "max_steps": len(golden["steps"]), "checkpoint": {"path": out + ".checkpoint", "every_steps": 0}, **extra}
    steps = [e for e in run(options, "train", config) if e["event"] == "step"]
    loss_error = max(abs(s["loss"] - g["loss"]) for s, g in zip(steps, golden["steps"], strict=True))
    ours, theirs = read_adapter(out), read_adapter(FIXTURES / f"final-adapter-{name}.gguf")
    distance = sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True)) ** 0.5
    return loss_error, distance / golden["steps"][-1]["lora_delta_norm"]


def golden(options):
    print("| suite | values, relative | 20 steps: loss, absolute | final weights / distance |\n|---|---|---|---|")
    for suffix, label in SUITES:
        pairs = json.loads((FIXTURES / f"golden-orpo{suffix}.json").read_text())["pairs"]
        error = values(options, suffix, "orpo", pairs, {"beta": 0.1})
        loss, weights = trajectory(options, suffix, f"orpo{suffix}", {"loss": "orpo", "beta": 0.1})
        print(f"| ORPO {label} | {error:.1e} | {loss:.1e} | {weights:.1e} |", flush=True)
    for beta_run in json.loads((FIXTURES / "golden-exo.json").read_text())["runs"]:
        beta, smoothing = beta_run["beta"], beta_run["label_smoothing"]
        extra = {"beta": beta, "label_smoothing": smoothing}
        error = values(options, "", "exo", beta_run["pairs"], extra)
        loss, weights = trajectory(options, "", f"exo-b{beta}", {"loss": "exo", **extra})
        print(f"| EXO β {beta} llama | {error:.1e} | {loss:.1e} | {weights:.1e} |", flush=True)


class DeviceMemory:
    """MiB in use on an NVIDIA card, looked at every few milliseconds; zeros where there is no such card."""

    def __init__(self):
        self.peak = 0
        try:
            import pynvml

            pynvml.nvmlInit()
            handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            self.read = lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).used / 2**20
        except Exception:  # no pynvml or no driver
            self.read = lambda: 0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            self.peak = max(self.peak, self.read())
            time.sleep(0.01)

    def start(self):
        self.peak = self.base = self.read()

    def used(self):
        return max(self.peak, self.read()) - self.base


class Trl:
    """trl_steps.py as a server: the imports take longer than the steps."""

    def __init__(self, memory):
        memory.start()
        self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / "trl_steps.py", "--serve"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print("TRL:", self.process.stdout.readline().strip(), flush=True)
        self.idle = memory.used()

    def run(self, **case):
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("trl_steps.py ended")
        return json.loads(line)


def ours(options, memory, folder, model, loss, pairs):
    out = folder / "adapter.gguf"
    out.unlink(missing_ok=True)
    memory.start()
    events = run(options, "train", {"loss": loss, "beta": 0.1, "model": str(model), "pairs": str(pairs), "adapter_out": str(out), "lora": {"r": 16, "alpha": 32},
                                    "max_steps": options.warmup + options.steps, "gradient_accumulation_steps": 1, "max_length": 4096,
                                    "checkpoint": {"path": str(folder / "c"), "every_steps": 0}})
    hello = next(e for e in events if e["event"] == "hello")
    seconds = [e["seconds"] for e in events if e["event"] == "step"]
    return {"seconds": seconds[options.warmup:], "memory": memory.used(), "estimate": hello["memory_estimate_mb"],
            "plan": f"{hello['transposed_weights']}, {hello['attention']}"}


def make_once(options, path, *arguments):
    if not path.exists():
        subprocess.run([options.tool, *[str(argument) for argument in arguments[:-1]], path, *arguments[-1]], check=True)
    return path


def speed(options):
    folder = pathlib.Path(options.folder or tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    memory = DeviceMemory()
    trl = Trl(memory) if options.trl else None
    deadline = time.time() + options.seconds
    print("| model | loss | tokens | program | s / pair min · median · max | tokens / s | memory of the card, MiB | estimate, MB | plan |\n|---|---|---|---|---|---|---|---|---|")
    for shape, types, loss, p, r in CASES:
        if options.shapes and shape not in options.shapes.split(","):
            continue
        if time.time() > deadline:
            break
        n_vocab, samples = N_VOCAB[shape], {}
        pairs = make_once(options, folder / f"{n_vocab}-{p}-{r}.jsonl", "pairs", 16, p, r, r, n_vocab, [])
        for _ in range(options.rounds):
            for kind in [k for k in types if not options.types or k in options.types.split(",")]:
                first, _plus, other = kind.partition("+")
                model = make_once(options, folder / f"{shape}-{kind}.gguf", shape, first, [other] if other else [])
                samples.setdefault(f"native-trainer {kind}", []).append(ours(options, memory, folder, model, loss, pairs))
            if trl:
                result = trl.run(shape=shape, loss=loss, pairs=str(pairs), dtype="bf16", steps=options.steps, warmup=options.warmup)
                samples.setdefault("TRL bf16", []).append({"seconds": result["seconds"], "memory": trl.idle + result["deviceMib"], "estimate": "", "plan": ""})
            if time.time() > deadline:
                break
        for name, runs in samples.items():
            seconds = sorted(s for one in runs for s in one["seconds"])
            middle, n_tokens = statistics.median(seconds), p + 2 * r
            print(f"| {shape} | {loss} | {n_tokens} | {name} | {seconds[0]:.4f} · {middle:.4f} · {seconds[-1]:.4f} | {n_tokens / middle:.0f} | "
                  f"{max(one['memory'] for one in runs):.0f} | {runs[0]['estimate']} | {runs[0]['plan']} |", flush=True)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--trainer", required=True)
parser.add_argument("--device", default="cpu")
commands = parser.add_subparsers(required=True)
commands.add_parser("golden").set_defaults(run=golden)
by_speed = commands.add_parser("speed")
by_speed.add_argument("--tool", required=True, help="the make-random-model of the trainer's tests")
by_speed.add_argument("--trl", action="store_true", help="TRL in turn with the trainer")
by_speed.add_argument("--shapes", help=f"of {', '.join(N_VOCAB)}; all")
by_speed.add_argument("--types", help="for example q8_0; all")
by_speed.add_argument("--rounds", type=int, default=2)
by_speed.add_argument("--steps", type=int, default=8)
by_speed.add_argument("--warmup", type=int, default=3)
by_speed.add_argument("--seconds", type=float, default=1e9, help="no case begins later")
by_speed.add_argument("--folder", help="for models and pairs; those that are there are used again")
by_speed.set_defaults(run=speed)
options = parser.parse_args()
options.run(options)
