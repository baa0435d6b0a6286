"""Golden numbers and speed of native-trainer on one device, as a table.

    python3 bench/on_device.py --trainer build/native-trainer --device cuda0 golden
    python3 bench/on_device.py --trainer build/native-trainer --device cuda0 speed --tool build/make-random-model

golden: the numbers of TRL in test/fixtures/reference, with the largest error reached. speed: models with random weights
in real shapes; the first steps of each run are left out, min / median / max of the others.
"""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/reference"
SUITES = [("", "llama"), ("-tied", "llama tied"), ("-qwen2", "qwen2"), ("-qwen3", "qwen3")]
N_WARM_UP = 3


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


def speed(options):
    print("| model | loss | tokens | s / pair (min / median / max) | tokens / s (median) | memory MB |\n|---|---|---|---|---|---|")
    folder = pathlib.Path(tempfile.mkdtemp())
    for shape, kind, n_vocab in (("smollm2-135m", "bf16", 49152), ("llama-3.2-1b", "q8_0", 128256), ("llama-3.2-3b", "q4_K", 128256)):
        model = folder / f"{shape}.gguf"
        subprocess.run([options.tool, shape, kind, model] + (["q8_0"] if kind == "q4_K" else []), check=True)
        for loss, p, r in (("orpo", 128, 192), ("orpo", 256, 384), ("orpo", 512, 768), ("exo", 256, 384)):
            pairs = folder / "pairs.jsonl"
            subprocess.run([options.tool, "pairs", "16", str(p), str(r), str(r), str(n_vocab), pairs], check=True)
            out = folder / "adapter.gguf"
            events = run(options, "train", {"loss": loss, "model": str(model), "pairs": str(pairs), "adapter_out": str(out), "max_steps": 12,
                                            "gradient_accumulation_steps": 1, "checkpoint": {"path": str(folder / "c"), "every_steps": 0}})
            steps = [e for e in events if e["event"] == "step"][N_WARM_UP:]
            seconds = [s["seconds"] for s in steps]
            middle = statistics.median(seconds)
            memory = events[-1]["peak_memory_mb"]
            print(f"| {shape} {kind} | {loss} | {p + 2 * r} | {min(seconds):.3f} / {middle:.3f} / {max(seconds):.3f} | {(p + 2 * r) / middle:.0f} | {memory:.0f} |", flush=True)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--trainer", required=True)
parser.add_argument("--device", default="cpu")
commands = parser.add_subparsers(required=True)
commands.add_parser("golden").set_defaults(run=golden)
by_speed = commands.add_parser("speed")
by_speed.add_argument("--tool", required=True, help="the make-random-model of the trainer's tests")
by_speed.set_defaults(run=speed)
options = parser.parse_args()
options.run(options)
