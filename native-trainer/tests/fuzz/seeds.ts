/** The valid files that are mutated: goldens' tiny models and adapters, a quantised model, checkpoints and a reference cache of real runs. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readSeeds, validConfig, type Seeds } from "./cases.ts";

const fixtures = join(import.meta.dirname, "..", "..", "..", "test", "fixtures", "reference");

const copies: Record<string, string> = {
  "model.gguf": "model-f32.gguf",
  "model-qwen2.gguf": "model-qwen2-f32.gguf",
  "model-qwen3.gguf": "model-qwen3-f32.gguf",
  "model-smollm3.gguf": "model-smollm3-f32.gguf",
  "model-gemma3.gguf": "model-gemma3-f32.gguf",
  "adapter.gguf": "adapter-init.gguf",
  "pairs.jsonl": "pairs.jsonl",
  "pairs-masked.jsonl": "pairs-masked.jsonl",
};

export async function makeSeeds(workDir: string, trainer: string, makeModel: string): Promise<Seeds> {
  const dir = join(workDir, "seeds");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const [name, from] of Object.entries(copies)) copyFileSync(join(fixtures, from), join(dir, name));
  const made = spawnSync(makeModel, ["tiny", "q8_0", join(dir, "model-quantised.gguf")], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`make-random-model failed: ${made.stderr}`);
  for (const loss of ["orpo", "exo"] as const) await makeCheckpoint(dir, trainer, loss);
  return readSeeds(dir);
}

/** Of a run that was stopped on its way, so that resuming it has steps left to do. */
async function makeCheckpoint(dir: string, trainer: string, loss: "orpo" | "exo"): Promise<void> {
  const path = join(dir, `checkpoint-${loss}.gguf`);
  const config = join(dir, "config.json");
  writeFileSync(
    config,
    JSON.stringify({ ...validConfig(loss), reference_cache: "cache", checkpoint: { path, every_steps: 1 } }),
  );
  const child = spawn(trainer, ["train", config], { cwd: dir, stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { event: string; step?: number };
    if (event.event === "checkpoint" && event.step === 2) renameSync(path, `${path}.half`);
  }
  if (child.exitCode === null) await once(child, "exit");
  if (child.exitCode !== 0) throw new Error(`the run that makes ${path} failed`);
  renameSync(`${path}.half`, path);
  for (const rest of ["config.json", "out.gguf"]) rmSync(join(dir, rest), { force: true });
}
