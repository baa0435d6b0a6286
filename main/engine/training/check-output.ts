import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { readAdapter } from "../gguf/index.ts";
import { cardPathOf } from "../models/index.ts";
import { AdapterCard } from "./adapter-card.ts";
import { adapterBytesOf, CHECKPOINT_ADAPTERS, LoraSize } from "./adapter-size.ts";

export type OutputRequest = {
  adapterOut: string;
  modelPath: string;
  adapterIn: string | null;
  /** The pair file, when the pairs come from one. */
  pairsPath: string | null;
  workspaceDir: string;
  settings: Record<string, unknown>;
};

/** While a new checkpoint is written the old one is still there. */
const CHECKPOINT_FACTOR = 2 * CHECKPOINT_ADAPTERS;

/**
 * Everything about the place of the adapter that can be known before hours of training: that it is a file's, that
 * nothing of the user's is overwritten, that the folder can be written to, and that the disks have room.
 * Errors: VALIDATION_FAILED, DISK_FULL, each naming the path.
 */
export async function checkOutput(request: OutputRequest, freeBytesOf = freeBytes): Promise<void> {
  const { adapterOut, workspaceDir } = request;
  checkNotAnInput(request);
  if (statSync(adapterOut, { throwIfNoEntry: false })?.isDirectory()) {
    throw refused(`${adapterOut} is a folder`, `Name a file in it, for example ${join(adapterOut, "adapter.gguf")}.`);
  }
  await checkOverwrites(adapterOut);
  const dir = dirname(resolve(adapterOut));
  await checkWritable(dir);
  const adapterBytes = await expectedBytes(request);
  await checkRoom(dir, adapterBytes, "the adapter", freeBytesOf);
  await checkRoom(workspaceDir, (CHECKPOINT_FACTOR + 1) * adapterBytes, "the adapter and its checkpoints", freeBytesOf);
}

/** What an error of writing to this folder means, in words a user can act on. */
export function explainWriteError(error: unknown, dir: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new AppError("DISK_FULL", `The disk of ${dir} is full`, {
      hint: `Free some space on the disk of ${dir}.`,
      cause: error,
    });
  }
  const why = typeof code === "string" ? WRITE_PROBLEMS[code] : undefined;
  return why === undefined ? error : refused(`${dir} ${why}`, "Choose another place for --out.", error);
}

const WRITE_PROBLEMS: Record<string, string> = {
  EROFS: "lies on a disk that can only be read",
  EACCES: "may not be written to",
  EPERM: "may not be written to",
  ENOTDIR: "is no folder: a part of its path is a file",
  EEXIST: "is no folder: a part of its path is a file",
  ENOENT: "cannot be made",
  ENAMETOOLONG: "has too long a name",
};

function checkNotAnInput({ adapterOut, modelPath, adapterIn, pairsPath }: OutputRequest): void {
  const written = [resolve(adapterOut), cardPathOf(resolve(adapterOut))];
  const inputs = [
    [modelPath, "the model"],
    [adapterIn, "the adapter to start from"],
    [pairsPath, "the pairs file"],
  ] as const;
  for (const [path, name] of inputs) {
    if (path === null || !written.some((output) => isSameFile(output, path))) continue;
    throw refused(`The adapter would be written over ${name}, ${path}`, "Choose another name for --out.");
  }
}

function isSameFile(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [left, right] = [statSync(a, { throwIfNoEntry: false }), statSync(b, { throwIfNoEntry: false })];
  return (
    left !== undefined && right !== undefined && left.ino === right.ino && left.dev === right.dev && left.ino !== 0
  );
}

/** An earlier adapter and its card may be replaced, nothing else. */
async function checkOverwrites(adapterOut: string): Promise<void> {
  const hint = "Choose another name for --out, or move that file away.";
  if (existsSync(adapterOut)) {
    await readAdapter(adapterOut).catch((cause: unknown) => {
      throw refused(`${adapterOut} is there already, and it is no adapter`, hint, cause);
    });
  }
  const card = cardPathOf(adapterOut);
  if (existsSync(card) && !isCard(card)) {
    throw refused(`The card of the adapter would be written over ${card}, which is no card of an adapter`, hint);
  }
}

function isCard(path: string): boolean {
  try {
    return AdapterCard.safeParse(JSON.parse(readFileSync(path, "utf8"))).success;
  } catch {
    return false;
  }
}

/** Makes the folder and a file in it: what a file system allows is known only by trying. */
async function checkWritable(dir: string): Promise<void> {
  const probe = join(dir, `.preflexor-${process.pid}.tmp`);
  try {
    await mkdir(dir, { recursive: true });
    const file = await open(probe, "w");
    try {
      await file.writeFile(Buffer.alloc(4096));
    } finally {
      await file.close();
      await rm(probe, { force: true });
    }
  } catch (error) {
    throw explainWriteError(error, dir);
  }
}

async function checkRoom(
  dir: string,
  needed: number,
  what: string,
  freeBytesOf: (dir: string) => Promise<number>,
): Promise<void> {
  const free = await freeBytesOf(dir);
  if (free >= needed) return;
  const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new AppError("DISK_FULL", `The disk of ${dir} has ${mb(free)} left, and ${what} will take ${mb(needed)}`, {
    hint: `Free some space on the disk of ${dir}, use a smaller lora.r, or choose another place.`,
    details: { dir, freeBytes: free, neededBytes: needed },
  });
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** An adapter that is gone on with keeps its size; of settings that cannot be read there is none. */
async function expectedBytes({ adapterIn, modelPath, settings }: OutputRequest): Promise<number> {
  if (adapterIn !== null) return statSync(adapterIn, { throwIfNoEntry: false })?.size ?? 0;
  const lora = LoraSize.safeParse(settings["lora"] ?? {});
  return lora.success ? adapterBytesOf(modelPath, lora.data) : 0;
}

function refused(message: string, hint: string, cause?: unknown): AppError {
  return new AppError("VALIDATION_FAILED", message, { hint, cause });
}
