/** One case: a folder with one mutated file, the config that names it, and the command that reads it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateGguf } from "./mutate-gguf.ts";
import { mutateConfig, mutatePairs } from "./mutate-json.ts";
import { randomFrom, type Random } from "./random.ts";

export const kinds = ["model", "adapter", "checkpoint", "pairs", "config", "cache"] as const;
export type Kind = (typeof kinds)[number];
export type Command = "inspect" | "score" | "train";

export type Case = {
  number: number;
  kind: Kind;
  command: Command;
  /** Of the trainer, in the folder of the case. */
  argument: string;
  /** The folder's files besides the mutated one are these of the seeds. */
  sizeBytes: number;
};

/** Valid files, by name; all cases start from them. Made by makeSeeds in seeds.ts. */
export type Seeds = { dir: string; read(name: string): Buffer };

type Config = Record<string, unknown>;

/** Losses of the runs that mutated files are given to: both that have checkpoints in the seeds, and each kind of the others. */
const losses = ["orpo", "exo", "dpo", "robust", "ipo", "simpo", "sft", [{ name: "dpo" }, { name: "sft", weight: 0.2 }]];

/** Of a run that takes a few steps. Paths are relative to the folder of a case, beside which the seeds lie. */
export function validConfig(loss: unknown): Config {
  return {
    model: "../seeds/model.gguf",
    adapter_in: "../seeds/adapter.gguf",
    adapter_out: "out.gguf",
    pairs: "../seeds/pairs.jsonl",
    loss,
    learning_rate: 1e-3,
    max_steps: 4,
    device: "cpu",
    threads: 1,
  };
}

/** Writes case `number` of a seed into `dir`, which is emptied. */
export function writeCase(dir: string, seeds: Seeds, seed: number, number: number): Case {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const random = randomFrom(seed * 1_000_003 + number);
  const kind = kinds[number % kinds.length] ?? "model";
  const made = { model, adapter, checkpoint, pairs, config, cache }[kind](random, seeds);
  mkdirSync(dirname(join(dir, made.name)), { recursive: true });
  writeFileSync(join(dir, made.name), made.bytes);
  writeFileSync(
    join(dir, "config.json"),
    made.name === "config.json" ? made.bytes : JSON.stringify(made.config, null, 1),
  );
  const argument = made.command === "inspect" ? made.name : "config.json";
  return { number, kind, command: made.command, argument, sizeBytes: made.bytes.length };
}

type Made = { name: string; bytes: Buffer; command: Command; config: Config };

function model(random: Random, seeds: Seeds): Made {
  const original = random.pick([
    "model.gguf",
    "model-qwen2.gguf",
    "model-qwen3.gguf",
    "model-smollm3.gguf",
    "model-gemma3.gguf",
    "model-quantised.gguf",
  ]);
  const bytes = mutateFile(random, seeds, original);
  const config: Config = { ...validConfig(random.pick(losses)), model: "case.gguf" };
  if (original !== "model.gguf") delete config["adapter_in"]; // it has the shape of another model
  return { name: "case.gguf", bytes, command: random.pick(["inspect", "score", "train"]), config };
}

function adapter(random: Random, seeds: Seeds): Made {
  const bytes = mutateFile(random, seeds, "adapter.gguf");
  const loss = random.pick(["orpo", "exo"] as const);
  const key = loss === "exo" && random.chance(0.4) ? "reference_adapter" : "adapter_in";
  const config = { ...validConfig(loss), [key]: "case.gguf" };
  return { name: "case.gguf", bytes, command: random.pick(["inspect", "score", "train"]), config };
}

function checkpoint(random: Random, seeds: Seeds): Made {
  const loss = random.pick(["orpo", "exo"] as const);
  const bytes = mutateFile(random, seeds, `checkpoint-${loss}.gguf`);
  const config = { ...validConfig(loss), resume: true, checkpoint: { path: "case.gguf" } };
  return { name: "case.gguf", bytes, command: "train", config };
}

function pairs(random: Random, seeds: Seeds): Made {
  const text = seeds.read(random.pick(["pairs.jsonl", "pairs-masked.jsonl"])).toString();
  const lines = text
    .trimEnd()
    .split("\n")
    .slice(0, 4)
    .map((line) => JSON.parse(line) as Config);
  const bytes = random.chance(0.15)
    ? mutateBytes(random, Buffer.from(text), seeds.read("pairs-masked.jsonl"))
    : mutatePairs(random, lines);
  const config = {
    ...validConfig(random.pick(losses)),
    [random.pick(["pairs", "pairs", "eval_pairs"])]: "case.jsonl",
  };
  const command = "eval_pairs" in config ? "train" : random.pick(["score", "train"] as const);
  return { name: "case.jsonl", bytes, command, config };
}

/** Reference log-probabilities of an EXO run: what is damaged is computed again. */
function cache(random: Random, seeds: Seeds): Made {
  const name = `cache/${readdirSync(join(seeds.dir, "cache"))[0]}`;
  const bytes = mutateBytes(random, seeds.read(name), seeds.read("pairs.jsonl"));
  return { name, bytes, command: "train", config: { ...validConfig("exo"), reference_cache: "cache" } };
}

function config(random: Random): Made {
  const original = validConfig(random.pick(losses));
  const bytes = mutateConfig(random, original);
  return { name: "config.json", bytes, command: random.pick(["score", "train"]), config: original };
}

function mutateFile(random: Random, seeds: Seeds, name: string): Buffer {
  const original = seeds.read(name);
  if (random.chance(0.6)) return mutateGguf(random, original);
  return mutateBytes(random, original, seeds.read(random.pick(["adapter.gguf", "model.gguf", "pairs.jsonl"])));
}

export function readSeeds(dir: string): Seeds {
  const known = new Map<string, Buffer>();
  const read = (name: string) => {
    const bytes = known.get(name) ?? readFileSync(join(dir, name));
    known.set(name, bytes);
    return bytes;
  };
  return { dir, read };
}
