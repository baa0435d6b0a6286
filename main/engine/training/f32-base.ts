import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { ModelFacts } from "../../shared/contract/model.ts";
import type { TrainingDeps } from "./deps.ts";
import { bytesInF32, fitsInMemoryAsF32 } from "./probe-scores.ts";
import { runTrainer } from "./trainer-process.ts";

/** The disk keeps this share of its free space. */
const MAX_DISK_SHARE = 0.9;

/**
 * Runs `use` with a copy of the model whose weights are in F32, which is deleted afterwards. Gives undefined where there
 * is no room for one, in memory or on the workspace's disk.
 */
export async function withF32Base<T>(
  deps: TrainingDeps,
  model: { path: string; facts: ModelFacts; device?: string | undefined },
  use: (f32Path: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const cacheDir = join(deps.workspaceDir, "cache");
  await mkdir(cacheDir, { recursive: true });
  const { bavail, bsize } = await statfs(cacheDir);
  if (!fitsInMemoryAsF32(model.facts) || bytesInF32(model.facts) > MAX_DISK_SHARE * bavail * bsize) return undefined;
  const dir = await mkdtemp(join(cacheDir, "parity-"));
  try {
    const { location } = await deps.devices.choose(model.device);
    const f32Path = join(dir, "base-f32.gguf");
    await runTrainer(location, "dequantise", [model.path, f32Path], () => {}, signal);
    return await use(f32Path);
  } finally {
    // a file that the model host still holds cannot be deleted on Windows
    await deps.runner.unload().catch(() => {});
    await rm(dir, { recursive: true, force: true });
  }
}
