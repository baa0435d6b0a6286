/**
 * Feeds the trainer damaged files: `npm run fuzz:trainer` (or `node native-trainer/tests/fuzz.ts`). Linux.
 *
 *   --count N      files, shared out among models, adapters, checkpoints, pairs, configs and reference caches (2000)
 *   --seed N       the same seed makes the same files (1)
 *   --only N       one file of the seed, whose answers are printed
 *   --jobs N       cases at a time (2)
 *   --unsanitized  without the sanitized build, which takes minutes to compile
 *
 * Each file is given to two builds: one with ASan and UBSan, and the one that users have, of which time and memory are
 * measured and whose exit code must be the same. A refusal may take what the same command takes on valid files and
 * twice the file. The folders of bad cases are kept in native-trainer/build/fuzz/seed-N/bad.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildForFuzzing, ensureTrainerBuilt } from "../build.ts";
import { kinds, validConfig, writeCase, type Case, type Command, type Seeds } from "./fuzz/cases.ts";
import { judge } from "./fuzz/judge.ts";
import { runTrainer, type Outcome } from "./fuzz/run-trainer.ts";
import { makeSeeds } from "./fuzz/seeds.ts";

type Verdict = { case: Case; outcome: Outcome; problem: string | undefined };
type Builds = { trainer: string; sanitized: string | undefined; measure: string };

const limitSeconds = 10;
const sanitizedLimitSeconds = 40; // sanitizers make a run several times slower
const noiseMb = 8; // pages that the allocator and the threads happen to touch

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    jobs: { type: "string", default: "2" },
    unsanitized: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const workDir = join(import.meta.dirname, "..", "build", "fuzz", `seed-${seed}`);
const badDir = join(workDir, "bad");

await main();

async function main(): Promise<void> {
  const trainer = await ensureTrainerBuilt({ log: note });
  const { sanitized, ...tools } = await buildForFuzzing(note, { withSanitized: !values.unsanitized });
  const builds = { trainer, sanitized, measure: tools.measure };
  const seeds = await makeSeeds(workDir, trainer, tools.makeModel);
  const baselineMb = await measureBaselines(builds);
  rmSync(badDir, { recursive: true, force: true });
  const numbers = values.only ? [Number(values.only)] : Array.from({ length: Number(values.count) }, (_, i) => i);
  const verdicts: Verdict[] = [];
  const startedAt = performance.now();
  const worker = async (dir: string) => {
    for (let number; (number = numbers.shift()) !== undefined;) {
      verdicts.push(await tryCase(dir, seeds, builds, baselineMb, number));
      if (verdicts.length % 100 === 0)
        note(`${verdicts.length} files, ${verdicts.filter((v) => v.problem).length} bad`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, (_, i) => worker(join(workDir, `case-${i}`))));
  report(verdicts, baselineMb, (performance.now() - startedAt) / 1000);
}

/** Largest memory of each command on files that are right. */
async function measureBaselines({ trainer, measure }: Builds): Promise<Record<Command, number>> {
  const dir = join(workDir, "valid");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const of = async (command: Command, argument: string) => {
    const { exit, memoryMb } = await runTrainer({
      measure,
      trainer,
      args: [command, argument],
      cwd: dir,
      limitSeconds,
    });
    if (exit !== 0) throw new Error(`${command} failed on valid files`);
    return memoryMb;
  };
  writeFileSync(join(dir, "config.json"), JSON.stringify(validConfig("exo")));
  return {
    inspect: await of("inspect", "../seeds/model.gguf"),
    score: await of("score", "config.json"),
    train: await of("train", "config.json"),
  };
}

async function tryCase(
  dir: string,
  seeds: Seeds,
  { trainer, sanitized, measure }: Builds,
  baselineMb: Record<Command, number>,
  number: number,
): Promise<Verdict> {
  const made = writeCase(dir, seeds, seed, number);
  const args = [made.command, made.argument];
  const outcome = await runTrainer({ measure, trainer, args, cwd: dir, limitSeconds: limitSeconds + 1 });
  const memoryMb = baselineMb[made.command] + noiseMb + (2 * made.sizeBytes) / 2 ** 20;
  let problem = judge(made.kind, outcome, { seconds: limitSeconds, memoryMb }) ?? judgeFolder(dir, outcome);
  if (sanitized && !problem) {
    writeCase(dir, seeds, seed, number); // without what the first run left behind
    const again = await runTrainer({
      measure,
      trainer: sanitized,
      args,
      cwd: dir,
      limitSeconds: sanitizedLimitSeconds + 1,
    });
    problem = judge(made.kind, again, { seconds: sanitizedLimitSeconds, memoryMb: Infinity });
    // one may have been asked to stop, and sanitizers take memory that a limit may leave no room for
    const isOtherwise = again.wasStopped || outcome.wasStopped || again.events.at(-1)?.["code"] === "MEMORY_LIMIT";
    if (!problem && again.exit !== outcome.exit && !isOtherwise)
      problem = `exit ${outcome.exit}, with sanitizers ${again.exit}`;
    if (problem) outcome.stderr += again.stderr;
  }
  if (values.only) console.log(JSON.stringify({ made, outcome, problem }, null, 1));
  if (problem) keep(dir, made, outcome, problem);
  return { case: made, outcome, problem };
}

/** What a run leaves behind: nothing temporary, and an adapter only when it is done. */
function judgeFolder(dir: string, { exit }: Outcome): string | undefined {
  const left = readdirSync(dir).find((name) => name.endsWith(".tmp") || (exit !== 0 && name === "out.gguf"));
  return left === undefined ? undefined : `exit ${exit} and left ${left} behind`;
}

function keep(dir: string, { number, command, argument }: Case, { stderr }: Outcome, problem: string): void {
  const to = join(badDir, `file-${number}`);
  cpSync(dir, to, { recursive: true });
  writeFileSync(join(to, "problem.txt"), `${problem}\ncd ${to} && native-trainer ${command} ${argument}\n\n${stderr}`);
  note(`file ${number}: ${problem}`);
}

function report(verdicts: Verdict[], baselineMb: Record<Command, number>, seconds: number): void {
  const rows = kinds.map((kind) => {
    const ours = verdicts.filter((verdict) => verdict.case.kind === kind);
    const exits = (code: number) => ours.filter(({ outcome }) => outcome.exit === code && outcome.signal === 0).length;
    return {
      kind,
      files: ours.length,
      "exit 0": exits(0),
      "exit 2": exits(2),
      "exit 3": exits(3),
      "exit 4": exits(4),
      "slowest s": Math.max(...ours.map(({ outcome }) => outcome.seconds)),
      "largest MB": Math.max(...ours.map(({ outcome }) => outcome.memoryMb)),
      bad: ours.filter(({ problem }) => problem).length,
    };
  });
  console.table(rows);
  const codes = new Map<string, number>();
  for (const { outcome } of verdicts) {
    const code = outcome.events.at(-1)?.["code"];
    if (typeof code === "string") codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  console.log(
    [...codes]
      .toSorted((a, b) => b[1] - a[1])
      .map(([code, n]) => `${code} ${n}`)
      .join(", "),
  );
  console.log(`seed ${seed}, ${seconds.toFixed(0)} s; memory on valid files: ${JSON.stringify(baselineMb)} MB`);
  const bad = verdicts.filter(({ problem }) => problem);
  for (const { case: made, problem } of bad)
    console.log(`file ${made.number} (${made.kind}, ${made.command}): ${problem}`);
  console.log(`${verdicts.length - bad.length} passed, ${bad.length} failed`);
  process.exitCode = bad.length === 0 ? 0 : 1;
}

function note(line: string): void {
  console.error(line);
}
