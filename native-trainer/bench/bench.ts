/**
 * The trainer against TRL on this machine: `npm run bench:trainer` (or `node native-trainer/bench/bench.ts`).
 *
 *   --rounds N      each program runs N times, in turn, so that a busy moment hits all alike (3)
 *   --steps N       measured steps of one run, after 2 that are not (4)
 *   --threads N     of every program (number of cores)
 *   --cases A,B     of orpo-512, orpo-1024, exo-512 (all)
 *
 * TRL and PEFT in the pinned versions of requirements.txt are installed into native-trainer/build/bench. The model has the shape of
 * SmolLM2-135M and random weights; T counts the distinct tokens of a pair. The table goes to stdout, progress to stderr.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildTrainerTests, ensureTrainerBuilt } from "../build.ts";

type Case = { name: string; loss: "orpo" | "exo"; nPrompt: number; nResponse: number };
type Sample = { seconds: number[]; peakMib: number };
type Contender = { name: string; run: (c: Case, pairs: string) => Promise<Sample> };

const root = dirname(fileURLToPath(import.meta.url));
const workDir = join(root, "..", "build", "bench");
const python = join(workDir, "venv", "bin", "python");
/** tests/make-random-model.cpp */
const maker = join(root, "..", "build", "make-random-model");
const shape = "smollm2-135m";
const nVocab = 49_152;
const warmupSteps = 2;

const allCases: Case[] = [
  { name: "orpo-512", loss: "orpo", nPrompt: 128, nResponse: 192 },
  { name: "orpo-1024", loss: "orpo", nPrompt: 256, nResponse: 384 },
  { name: "exo-512", loss: "exo", nPrompt: 128, nResponse: 192 },
];

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "4" },
    threads: { type: "string", default: String(availableParallelism()) },
    cases: { type: "string", default: allCases.map((c) => c.name).join(",") },
  },
});
const rounds = Number(values.rounds);
const steps = Number(values.steps);
const threads = Number(values.threads);

await main();

async function main(): Promise<void> {
  const trainer = await ensureTrainerBuilt({ log: note });
  await buildTrainerTests(note); // the maker of models is one of them
  await prepareEnvironment();
  const contenders = [
    ...["BF16", "Q8_0"].map((type) => ourTrainer(trainer, type)),
    ...["fp32", "bf16-autocast", "bf16"].map(trl),
  ];
  print(machine());
  for (const c of allCases.filter(({ name }) => values.cases.split(",").includes(name))) await compare(c, contenders);
}

/** Runs all contenders in turn and prints their table; the ratio is TRL's fastest median over ours. */
async function compare(c: Case, contenders: Contender[]): Promise<void> {
  const pairs = join(workDir, `${c.name}.jsonl`);
  if (!existsSync(pairs))
    await run(maker, ["pairs", "8", ...[c.nPrompt, c.nResponse, c.nResponse, nVocab].map(String), pairs]);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      note(`${c.name}: round ${round} of ${rounds}, ${contender.name} (load ${loadavg()[0]?.toFixed(1)})`);
      samples.get(contender.name)?.push(await contender.run(c, pairs));
    }
  }
  const nTokens = c.nPrompt + 2 * c.nResponse;
  const rows = [...samples].map(([name, runs]) => ({
    name,
    seconds: spread(runs.flatMap((run) => run.seconds)),
    peakMib: spread(runs.map((run) => run.peakMib)),
  }));
  const bestOf = (names: RegExp) =>
    Math.min(...rows.filter(({ name }) => names.test(name)).map(({ seconds }) => seconds.median));
  print(
    `\n${c.name}: ${c.loss.toUpperCase()}, T = ${nTokens} (${c.nPrompt} + ${c.nResponse} + ${c.nResponse}), LoRA r = 16, one pair a step, ${threads} threads`,
  );
  print(
    "| program | s/pair min · median · max | tokens/s | peak MiB min · median · max | TRL bf16, fastest, over this | TRL fp32 over this |",
  );
  print("|---|---|---|---|---|---|");
  for (const { name, seconds, peakMib } of rows) {
    const ratio = (reference: number) => (reference / seconds.median).toFixed(2);
    print(
      `| ${name} | ${show(seconds, 3)} | ${(nTokens / seconds.median).toFixed(0)} | ${show(peakMib, 0)} | ${ratio(bestOf(/^TRL bf16/))} | ${ratio(bestOf(/^TRL fp32/))} |`,
    );
  }
}

function ourTrainer(trainer: string, type: string): Contender {
  return {
    name: `native-trainer ${type}`,
    run: async (c, pairs) => {
      const model = join(workDir, `model-${type}.gguf`);
      if (!existsSync(model)) await run(maker, [shape, type.toLowerCase(), model]);
      const out = join(workDir, "adapter.gguf");
      for (const file of [out, `${out}.checkpoint`]) rmSync(file, { force: true });
      const config = {
        model,
        pairs,
        adapter_out: out,
        loss: c.loss,
        beta: 0.1,
        learning_rate: 1e-4,
        max_grad_norm: 1,
        gradient_accumulation_steps: 1,
        max_steps: warmupSteps + steps,
        lora: { r: 16, alpha: 32 },
        device: "cpu",
        threads,
        checkpoint: { every_steps: 0 },
      };
      writeFileSync(join(workDir, "config.json"), JSON.stringify(config));
      const events = (await run(trainer, ["train", join(workDir, "config.json")]))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { event: string; seconds: number; peak_memory_mb: number });
      const seconds = events.filter(({ event }) => event === "step").map((event) => event.seconds);
      return { seconds: seconds.slice(warmupSteps), peakMib: events.at(-1)?.peak_memory_mb ?? Number.NaN };
    },
  };
}

function trl(dtype: string): Contender {
  return {
    name: `TRL ${dtype}`,
    run: async (c, pairs) => {
      const options = { pairs, loss: c.loss, dtype, steps, warmup: warmupSteps, threads };
      const output = await run(python, [
        join(root, "trl_steps.py"),
        ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]),
      ]);
      return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Sample;
    },
  };
}

async function prepareEnvironment(): Promise<void> {
  mkdirSync(workDir, { recursive: true });
  const requirements = join(root, "requirements.txt");
  const stamp = join(workDir, "installed.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === readFileSync(requirements, "utf8")) return;
  note("installing TRL into native-trainer/build/bench/venv");
  await run("python3", ["-m", "venv", join(workDir, "venv")]);
  await run(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
  writeFileSync(stamp, readFileSync(requirements));
}

type Spread = { min: number; median: number; max: number };

function spread(numbers: number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (place: number) => sorted[Math.round(place * (sorted.length - 1))] ?? Number.NaN;
  return { min: at(0), median: at(0.5), max: at(1) };
}

function show({ min, median, max }: Spread, digits: number): string {
  return [min, median, max].map((value) => value.toFixed(digits)).join(" · ");
}

function machine(): string {
  const flags = existsSync("/proc/cpuinfo")
    ? (/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "")
    : "";
  const units = flags.split(" ").filter((flag) => /^(avx2|fma|avx512f|avx512_bf16|amx_bf16)$/.test(flag));
  const version = spawnSync(python, ["-c", "import torch, trl; print(torch.__version__, trl.__version__)"], {
    encoding: "utf8",
  })
    .stdout.trim()
    .split(" ");
  return (
    `Machine: ${cpus()[0]?.model}, ${availableParallelism()} cores (${units.join(" ")}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ` +
    `torch ${version[0]}, trl ${version[1]}; load before the start: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.on("error", (cause) => reject(new Error(`${command} could not be started`, { cause })));
    child.on("close", (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${command} ended with exit code ${code}:\n${(errors + output).slice(-2000)}`)),
    );
  });
}
