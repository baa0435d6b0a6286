import { getLlama, getModuleVersion, type Llama, LlamaLogLevel } from "node-llama-cpp";
import { AppError } from "../../../shared/errors.ts";
import type { Gpu } from "./contract.ts";

/** llama.cpp as one process holds it: the library, the threads it may use, and what it last complained about. */
export type LlamaLibrary = {
  llama: Llama;
  /** How many at most; how many each piece of work gets is chosen while running, see [Note: threads]. */
  threads: number;
  hasFixedThreads: boolean;
  /** How many tokens of a prompt are evaluated at once: the longest stretch that cannot be cancelled. */
  batchTokens: number;
  /** For example "node-llama-cpp 3.21.1, llama.cpp v0.4.0, cpu (SSE3 SSSE3 AVX AVX2 F16C FMA BMI2)". */
  version: string;
  /** The last error lines of llama.cpp, which its exceptions leave out. */
  lastErrors(): string;
};

const KEPT_ERROR_LINES = 5;
const BATCH_TOKENS_CPU = 128;
const BATCH_TOKENS_GPU = 512;

/**
 * Loads the prebuilt library in the variant that is asked for, or says why not; never builds or fetches, and never takes
 * the processor instead of a graphics card in silence.
 */
export async function loadLlama(gpu: Gpu): Promise<LlamaLibrary> {
  const errors: string[] = [];
  const logger = (level: LlamaLogLevel, message: string) => {
    if (level !== LlamaLogLevel.error && level !== LlamaLogLevel.fatal) return;
    errors.push(message.trim());
    if (errors.length > KEPT_ERROR_LINES) errors.shift();
  };
  const llama = gpu === "auto" ? await loadBestVariant(logger) : await loadVariant(gpu, logger);
  const wanted = threadsFromEnvironment();
  const threads = wanted ?? Math.max(1, llama.cpuMathCores);
  const batchTokens = llama.gpu === false ? BATCH_TOKENS_CPU : BATCH_TOKENS_GPU;
  const version = await versionOf(llama);
  // a graphics card computes nearly all: there its driver's thread is all that counts
  const hasFixedThreads = wanted !== null || llama.gpu !== false;
  return { llama, threads, hasFixedThreads, batchTokens, version, lastErrors: () => errors.join("\n") };
}

type Logger = (level: LlamaLogLevel, message: string) => void;

function optionsFor(logger: Logger) {
  return {
    build: "never",
    skipDownload: true,
    progressLogs: false,
    // no limit here: each context states its own number, and gets exactly that
    maxThreads: 0,
    logger,
  } as const;
}

/** Errors: DEVICE_UNAVAILABLE, and MODEL_INCOMPATIBLE where not even the processor's variant loads. */
async function loadVariant(gpu: Exclude<Gpu, "auto">, logger: Logger): Promise<Llama> {
  try {
    const llama = await getLlama({ ...optionsFor(logger), gpu });
    if (gpu === false || (llama.gpu === gpu && (await llama.getGpuDeviceNames()).length > 0)) return llama;
    await llama.dispose();
  } catch (cause) {
    throw gpu === false ? unloadable(cause) : unavailable(gpu, (cause as Error).message, cause);
  }
  throw unavailable(gpu, "it finds no device");
}

/** Where there is no trainer to ask for devices: the best variant that really has one, else the processor. */
async function loadBestVariant(logger: Logger): Promise<Llama> {
  try {
    const llama = await getLlama({ ...optionsFor(logger), gpu: "auto" });
    if (llama.gpu === false || (await llama.getGpuDeviceNames()).length > 0) return llama;
    await llama.dispose();
    return await getLlama({ ...optionsFor(logger), gpu: false });
  } catch (cause) {
    throw unloadable(cause);
  }
}

function unavailable(gpu: string, reason: string, cause?: unknown): AppError {
  return new AppError("DEVICE_UNAVAILABLE", `llama.cpp cannot compute with ${gpu} on this machine: ${reason}`, {
    hint: "Update the graphics card's driver, or compute elsewhere with --device cpu; `preflexor doctor` shows what there is.",
    details: { gpu, reason },
    cause,
  });
}

function unloadable(cause: unknown): AppError {
  return new AppError("MODEL_INCOMPATIBLE", "The inference library cannot be loaded on this machine", {
    hint: "Install the program again; on Windows also the Visual C++ redistributable.",
    details: { reason: (cause as Error).message },
    cause,
  });
}

function threadsFromEnvironment(): number | null {
  const threads = Number(process.env["PREFLEXOR_THREADS"]);
  return Number.isInteger(threads) && threads > 0 ? threads : null;
}

async function versionOf(llama: Llama): Promise<string> {
  const release = llama.llamaCppRelease.release;
  const device = llama.gpu || `cpu (${instructionSetsOf(llama.systemInfo).join(" ")})`;
  return `node-llama-cpp ${await getModuleVersion()}, llama.cpp ${release}, ${device}`;
}

/** Those that the CPU library was built for, from a line such as "CPU : AVX2 = 1 | FMA = 1 | LLAMAFILE = 1 | REPACK = 1". */
export function instructionSetsOf(systemInfo: string): string[] {
  const names = [...systemInfo.matchAll(/(\w+) = 1/g)].map(([, name]) => name!);
  return names.filter((name) => !["LLAMAFILE", "REPACK", "OPENMP", "ACCELERATE"].includes(name));
}
