import { getLlama, getModuleVersion, type Llama, LlamaLogLevel } from "node-llama-cpp";
import { AppError } from "../../../shared/errors.ts";

/** llama.cpp as one process holds it: the library, the number of threads, and what it last complained about. */
export type LlamaLibrary = {
  llama: Llama;
  threads: number;
  /** How many tokens of a prompt are evaluated at once: the longest stretch that cannot be cancelled. */
  batchTokens: number;
  /** For example "node-llama-cpp 3.21.1, llama.cpp v0.4.0, cpu". */
  version: string;
  /** The last error lines of llama.cpp, which its exceptions leave out. */
  lastErrors(): string;
};

const KEPT_ERROR_LINES = 5;
const BATCH_TOKENS_CPU = 128;
const BATCH_TOKENS_GPU = 512;

/**
 * Loads the prebuilt library: the best GPU variant that really has a device, else the CPU. Never builds or fetches.
 *
 * The number of threads is fixed, because another number gives other roundings and so other texts. One core is left
 * to everybody else: ggml's threads wait for each other in busy loops, so that a single core taken away from them
 * slows all down (two threads on two busy cores: 2 tokens/s, one thread: 17).
 */
export async function loadLlama(): Promise<LlamaLibrary> {
  const errors: string[] = [];
  const logger = (level: LlamaLogLevel, message: string) => {
    if (level !== LlamaLogLevel.error && level !== LlamaLogLevel.fatal) return;
    errors.push(message.trim());
    if (errors.length > KEPT_ERROR_LINES) errors.shift();
  };
  const llama = await loadBestVariant(logger);
  const threads = threadsFromEnvironment() ?? Math.max(1, llama.cpuMathCores - 1);
  const batchTokens = llama.gpu === false ? BATCH_TOKENS_CPU : BATCH_TOKENS_GPU;
  return { llama, threads, batchTokens, version: await versionOf(llama), lastErrors: () => errors.join("\n") };
}

async function loadBestVariant(logger: (level: LlamaLogLevel, message: string) => void): Promise<Llama> {
  const options = {
    build: "never",
    skipDownload: true,
    progressLogs: false,
    // no limit here: each context states its own number, and gets exactly that
    maxThreads: 0,
    logger,
  } as const;
  try {
    const llama = await getLlama({ ...options, gpu: "auto" });
    if (llama.gpu === false || (await llama.getGpuDeviceNames()).length > 0) return llama;
    await llama.dispose();
    return await getLlama({ ...options, gpu: false });
  } catch (cause) {
    throw new AppError("MODEL_INCOMPATIBLE", "The inference library cannot be loaded on this machine", {
      hint: "Install the program again; on Windows also the Visual C++ redistributable.",
      details: { reason: (cause as Error).message },
      cause,
    });
  }
}

function threadsFromEnvironment(): number | null {
  const threads = Number(process.env["PREFLEXOR_THREADS"]);
  return Number.isInteger(threads) && threads > 0 ? threads : null;
}

async function versionOf(llama: Llama): Promise<string> {
  const release = llama.llamaCppRelease.release;
  return `node-llama-cpp ${await getModuleVersion()}, llama.cpp ${release}, ${llama.gpu || "cpu"}`;
}
