/**
 * The Windows trainer under wine: npm run test:windows
 *
 *   node native-trainer/tests/windows.ts          the test programs, then the behaviour that depends on the system
 *   node native-trainer/tests/windows.ts --speed  also seconds per pair: the package's CPU library, ours, the own kernels
 *
 * Says `skipped` and ends well where wine is not installed. What wine does is not always what Windows does: README.md.
 */
import { strict as assert } from "node:assert";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { buildDir, findLlamaRelease, root, run } from "../build-tools.ts";
import { buildForWindows, buildWindowsTests, windowsDir } from "../windows/build.ts";
import { fetchStockLibraries } from "../windows/stock.ts";

const workDir = join(buildDir, "windows");
// a space and letters that no single Windows code page has together
const dir = join(workDir, "test", "Größe Ж 模型");
const fixtures = join(root, "..", "test", "fixtures", "reference");
const trainer = join(dir, "native-trainer.exe");

const windowsPath = (path: string) => `Z:${path.replaceAll("/", "\\")}`;

const wineEnv: NodeJS.ProcessEnv = {
  ...process.env,
  WINEPREFIX: join(workDir, "wine"),
  WINEDEBUG: "-all",
  WINEDLLOVERRIDES: "mscoree,mshtml=", // no .NET and no browser: else wine asks whether to fetch them
  LC_ALL: "C.UTF-8", // else file names with other letters cannot be opened
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

type TrainerEvent = Record<string, unknown> & { event: string };
type Outcome = { code: number | null; events: TrainerEvent[]; text: string };

/** Starts `native-trainer.exe` the way the engine does: stdin stays open. */
class Trainer {
  readonly child: ChildProcess;
  readonly finished: Promise<Outcome>;
  private readonly events: TrainerEvent[] = [];
  private text = "";
  private wake = () => {};

  constructor(args: string[], env: NodeJS.ProcessEnv = {}, executable = trainer) {
    const child = spawn("wine", [executable, ...args], {
      env: { ...wineEnv, ...env },
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.child = child;
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (data: string) => (this.text += data));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) this.events.push(JSON.parse(line) as TrainerEvent);
      this.wake();
    });
    this.finished = new Promise((resolve) => {
      child.once("close", (code) => {
        this.wake();
        resolve({ code, events: this.events, text: this.text });
      });
    });
  }

  async reached(nSteps: number): Promise<void> {
    while (this.child.exitCode === null && this.events.filter(({ event }) => event === "step").length < nSteps)
      await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

function runToEnd(args: string[], env?: NodeJS.ProcessEnv, executable?: string): Promise<Outcome> {
  return new Trainer(args, env, executable).finished;
}

function last(outcome: Outcome): TrainerEvent {
  return outcome.events.at(-1) ?? { event: "nothing" };
}

/** The config of a run that writes `name`.gguf; paths are the way Windows programs write them. */
function writeConfig(name: string, more: Record<string, unknown> = {}): string {
  const config = {
    model: windowsPath(join(fixtures, "model-f32.gguf")),
    adapter_in: windowsPath(join(fixtures, "adapter-init.gguf")),
    pairs: windowsPath(join(fixtures, "pairs.jsonl")),
    adapter_out: windowsPath(join(dir, `${name}.gguf`)),
    checkpoint: { path: windowsPath(join(dir, `${name}.checkpoint`)), every_steps: 1 },
    loss: "orpo",
    device: "cpu",
    max_steps: 60,
    learning_rate: 1e-3,
    lora: { dropout: 0.1 },
    resume: true,
    ...more,
  };
  const path = join(dir, `${name}.json`);
  writeFileSync(path, JSON.stringify(config));
  return windowsPath(path);
}

const adapter = (name: string) => readFileSync(join(dir, `${name}.gguf`));

// ---- what is tested

const tests: Record<string, () => Promise<void>> = {
  "the libraries beside the program are found without PATH": async () => {
    const outcome = await runToEnd(["devices"]);
    assert.equal(outcome.code, 0);
    assert.match(outcome.text, /"type":"cpu"/);
    assert.doesNotMatch(outcome.text, /\r/, "lines end with \\n alone");
  },

  "the libraries are found where the engine says, in a folder with such a name": async () => {
    const elsewhere = join(dir, "библиотеки");
    mkdirSync(elsewhere);
    for (const name of readdirSync(windowsDir).filter((each) => each.endsWith(".dll")))
      cpSync(join(windowsDir, name), join(elsewhere, name));
    const alone = join(dir, "alone", "native-trainer.exe");
    cpSync(trainer, alone);
    const ggml = windowsPath(elsewhere);
    const outcome = await runToEnd(["devices"], { PREFLEXOR_GGML_DIR: ggml, WINEPATH: ggml }, alone);
    assert.equal(outcome.code, 0);
    assert.deepEqual((last(outcome)["ggml"] as { dir: string }).dir, ggml);
    const installed = await runToEnd(["train", writeConfig("installed", { max_steps: 2 })], {
      PREFLEXOR_GGML_DIR: ggml,
    });
    assert.equal(installed.code, 0, "also with the base library beside the program, as in an installed one");
  },

  "the self-test passes": async () => {
    const outcome = await runToEnd(["selftest", windowsPath(join(root, "..", "resources", "selftest"))]);
    assert.equal(outcome.code, 0, outcome.text);
  },

  "a run that is killed again and again ends with the adapter of one that is not": async () => {
    const whole = await runToEnd(["train", writeConfig("whole")]);
    assert.equal(whole.code, 0, whole.text);
    const config = writeConfig("killed");
    let nKilled = 0;
    for (let i = 0; i < 6; i++) {
      const attempt = new Trainer(["train", config]);
      await attempt.reached(1 + 3 * i);
      await sleep(7 * i);
      attempt.child.kill("SIGKILL");
      if ((await attempt.finished).code !== 0) nKilled++;
    }
    assert.ok(nKilled > 0, "some run was killed on its way");
    const rest = await runToEnd(["train", config]);
    assert.equal(rest.code, 0, rest.text);
    assert.ok((rest.events[0]?.["resumed_step"] as number) > 0, "it goes on from a checkpoint");
    assert.ok(adapter("whole").equals(adapter("killed")), "the same bytes");
  },

  "stop ends with 4 and a checkpoint, and the run goes on from it": async () => {
    const config = writeConfig("stopped", {
      checkpoint: { path: windowsPath(join(dir, "s.checkpoint")), every_steps: 0 },
    });
    const attempt = new Trainer(["train", config]);
    await attempt.reached(3);
    attempt.child.stdin?.write('{"command":"stop"}\r\n');
    const stopped = await attempt.finished;
    assert.equal(stopped.code, 4, stopped.text);
    assert.equal(last(stopped)["reason"], "stopped");
    assert.equal((await runToEnd(["train", config])).code, 0);
    assert.ok(adapter("whole").equals(adapter("stopped")), "the same bytes");
  },

  "a closed stdin means nothing": async () => {
    const attempt = new Trainer(["train", writeConfig("closed")]);
    attempt.child.stdin?.end();
    const outcome = await attempt.finished;
    assert.equal(outcome.code, 0);
    assert.ok(adapter("whole").equals(adapter("closed")), "the same bytes");
  },

  "exit codes": async () => {
    const missing = await runToEnd(["train", windowsPath(join(dir, "nein.json"))]);
    assert.deepEqual([missing.code, last(missing)["code"]], [2, "CONFIG_NOT_FOUND"]);
    const unwritable = writeConfig("unwritable", { adapter_out: windowsPath(join(dir, "no", "such", "folder.gguf")) });
    const failed = await runToEnd(["train", unwritable]);
    assert.deepEqual([failed.code, last(failed)["code"]], [2, "WRITE_FAILED"]);
    const nowhere = await runToEnd(["devices"], { PREFLEXOR_GGML_DIR: windowsPath(join(dir, "alone")) });
    assert.deepEqual([nowhere.code, last(nowhere)["code"]], [3, "GGML_LIBRARY"]);
  },

  "memory figures": async () => {
    const outcome = await runToEnd(["train", writeConfig("memory", { max_steps: 2 })]);
    const step = outcome.events.find(({ event }) => event === "step");
    assert.ok((step?.["memory_mb"] as number) > 1);
    assert.ok((last(outcome)["peak_memory_mb"] as number) >= (step?.["memory_mb"] as number));
    assert.match(outcome.text, /"memory_free_mb":[1-9]\d\d/);
  },
};

// ---- speed

/** Seconds for a pair of a model with random weights in the shape of SmolLM2-135M; the first steps are left out. */
async function measure(name: string, ggmlDir: string, isa: string): Promise<void> {
  const config = writeConfig("speed", {
    model: windowsPath(join(dir, "speed-model.gguf")),
    pairs: windowsPath(join(dir, "speed-pairs.jsonl")),
    adapter_in: undefined,
    max_steps: 3,
    gradient_accumulation_steps: 1,
    lora: {},
    threads: 1,
    resume: false,
  });
  const env = { PREFLEXOR_GGML_DIR: windowsPath(ggmlDir), PREFLEXOR_CPU_ISA: isa };
  const outcome = await runToEnd(["train", config], env);
  assert.equal(outcome.code, 0, outcome.text);
  const steps = outcome.events.filter(({ event }) => event === "step").map((event) => event["seconds"] as number);
  const best = Math.min(...steps.slice(1));
  say(`${name.padEnd(40)} ${best.toFixed(2)} s per pair, one thread`);
}

async function speed(testPrograms: string): Promise<void> {
  const tool = join(testPrograms, "make-random-model.exe");
  const env = { ...wineEnv, WINEPATH: windowsPath(windowsDir) };
  for (const args of [
    ["smollm2-135m", "q8_0", "speed-model.gguf"],
    ["pairs", "4", "16", "24", "24", "49152", "speed-pairs.jsonl"],
  ])
    assert.equal(spawnSync("wine", [tool, ...args], { env, cwd: dir }).status, 0, "the model is made");
  const stockDir = await fetchStockLibraries(findLlamaRelease().version, workDir, say);
  await measure("ggml's operators, the package's library", stockDir, "ggml");
  await measure("ggml's operators, our library", windowsDir, "ggml");
  await measure("own kernels, AVX2", windowsDir, "avx2");
  await measure("own kernels, the fastest here", windowsDir, "");
}

// ---- all of it

async function main(): Promise<void> {
  if (spawnSync("wine", ["--version"]).error) {
    say("skipped: wine is not installed (Debian: apt-get install --no-install-recommends wine wine64)");
    return;
  }
  await buildForWindows(say);
  const testPrograms = await buildWindowsTests("wine", say);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const name of readdirSync(windowsDir)) cpSync(join(windowsDir, name), join(dir, name));

  let nPassed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      nPassed++;
      say(`ok      ${name}`);
    } catch (error) {
      process.exitCode = 1;
      say(`FAILED  ${name}: ${String(error)}`);
    }
  }
  say(`${nPassed} passed, ${Object.keys(tests).length - nPassed} failed`);
  if (process.argv.includes("--speed")) await speed(testPrograms);

  const programs = { ...wineEnv, WINEPATH: windowsPath(windowsDir), PREFLEXOR_GGML_DIR: windowsPath(windowsDir) };
  await run("ctest", ["--test-dir", testPrograms, "--output-on-failure", "--timeout", "900"], say, programs);
  say("ctest: all test programs passed");
}

await main();
