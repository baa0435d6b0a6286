/**
 * @file The program as it runs on another processor. ggml comes with a CPU library for each generation of instruction
 * sets and takes the best one that the processor can run; so a copy of the program in whose package only one of them is
 * left behaves as on a machine of that generation: other products, other roundings, other tokens.
 */
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { rootDir } from "../../main/cli/lib/paths.ts";
import { cacheDir } from "./cache.ts";

const PLATFORM = `linux-${process.arch}`;
const PACKAGE = join("@node-llama-cpp", PLATFORM);
const LIBRARY = /^libggml-cpu-(.+)\.so$/;

export type ProgramCopy = {
  library: string;
  /** The folder that takes the checkout's place. */
  root: string;
  ggmlDir: string;
  remove(): void;
};

type CpuKind = {
  /** Of ggml's library. */
  library: string;
  /** The trainer's kernels of that generation (PREFLEXOR_CPU_ISA). */
  isa: string;
  /** What the library says that it was built for, and slower ones do not. */
  mark: string;
  /** What /proc/cpuinfo has to name. */
  needs: string[];
};

const AVX2 = ["avx2", "fma", "f16c", "bmi2"];
const AVX512 = [...AVX2, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];
/** Slowest first: what most users have, servers of the last ten years, AMD since 2022, Intel with matrix units. */
const CPU_KINDS: CpuKind[] = [
  { library: "haswell", isa: "avx2", mark: "AVX2", needs: AVX2 },
  { library: "skylakex", isa: "avx512", mark: "AVX512", needs: AVX512 },
  {
    library: "zen4",
    isa: "avx512bf16",
    mark: "AVX512_BF16",
    needs: [...AVX512, "avx512vbmi", "avx512_vnni", "avx512_bf16"],
  },
  {
    library: "sapphirerapids",
    isa: "amx",
    mark: "AMX_INT8",
    needs: [...AVX512, "avx512vbmi", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8"],
  },
];

/** The marks of the kinds that are faster than this one: what its library must not name. */
export function marksAbove(library: string): string[] {
  const index = CPU_KINDS.findIndex((kind) => kind.library === library);
  return CPU_KINDS.slice(index + 1).map(({ mark }) => mark);
}

/** The kinds of processor that this one can stand in for: the slowest, the fastest, and one between them. */
export function cpuKindsHere(): CpuKind[] {
  if (process.platform !== "linux" || process.arch !== "x64") return [];
  const flags = new Set(/^flags\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" "));
  const kinds = CPU_KINDS.filter(({ needs }) => needs.every((flag) => flags.has(flag)));
  return kinds.length <= 3 ? kinds : [kinds[0]!, kinds[1]!, kinds.at(-1)!];
}

export function machineName(): string {
  return `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores`;
}

/** A copy of the program with this CPU library alone; files are hard links where the disk allows, so it costs little. */
export function programWithLibrary(library: string): ProgramCopy {
  mkdirSync(cacheDir(), { recursive: true });
  const root = mkdtempSync(join(cacheDir(), `program-${library}-`));
  const modules = join(root, "node_modules");
  mkdirSync(join(modules, "@node-llama-cpp"), { recursive: true });
  // Node finds packages from where a file really lies: what loads the library has to be here, the rest may be links
  const isReal = (name: string) => name === "node-llama-cpp" || name === "@node-llama-cpp";
  const packages = readdirSync(join(rootDir, "node_modules")).filter((name) => !isReal(name));
  for (const name of packages) symlinkSync(join(rootDir, "node_modules", name), join(modules, name));
  linkTree(join(rootDir, "node_modules", "node-llama-cpp"), join(modules, "node-llama-cpp"), () => true);
  linkTree(join(rootDir, "node_modules", PACKAGE), join(modules, PACKAGE), (name) => {
    const found = LIBRARY.exec(name)?.[1];
    return found === undefined || found === library;
  });
  cpSync(join(rootDir, "main"), join(root, "main"), { recursive: true });
  copyFileSync(join(rootDir, "package.json"), join(root, "package.json"));
  for (const name of ["resources", "native-trainer"]) symlinkSync(join(rootDir, name), join(root, name));
  return {
    library,
    root,
    ggmlDir: join(modules, PACKAGE, "bins", PLATFORM),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function linkTree(from: string, to: string, isWanted: (name: string) => boolean): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!isWanted(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target, isWanted);
    else linkOrCopy(source, target);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
