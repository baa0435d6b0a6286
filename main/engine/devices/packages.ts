import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../../shared/contract/device.ts";

/** A folder of ggml's libraries: one of node-llama-cpp's packages for this system, or one of the user's. */
export type ComputePackage = {
  name: string;
  backend: Device["backend"];
  /** The registry library, libggml-base and the backends. */
  ggmlDir: string;
  /** A second build of the backend, for an older runtime. */
  fallbackDir: string | null;
};

/** Whoever sets it brings libraries of his own, and only those count. */
const OWN_DIR = "PREFLEXOR_GGML_DIR";

/** Best first. */
const SUFFIXES = [
  { suffix: "-cuda", backend: "cuda" },
  { suffix: "-vulkan", backend: "vulkan" },
  { suffix: "-metal", backend: "metal" },
  { suffix: "", backend: "cpu" },
] as const;

/** The installed packages for a system, in the order in which they are preferred. `packagesDir` is node_modules/@node-llama-cpp. */
export function findPackages(
  packagesDir: string,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): ComputePackage[] {
  const own = env[OWN_DIR];
  if (own) return [{ name: OWN_DIR, backend: "cpu", ggmlDir: own, fallbackDir: null }];
  const system = { win32: "win", darwin: "mac" }[platform as string] ?? "linux";
  return SUFFIXES.map(({ suffix, backend }): ComputePackage => {
    const name = `${system}-${arch}${suffix}`;
    const fallbackDir = join(packagesDir, `${name}-ext`, "bins", name, "fallback");
    return {
      name,
      backend,
      ggmlDir: join(packagesDir, name, "bins", name),
      fallbackDir: existsSync(fallbackDir) ? fallbackDir : null,
    };
  }).filter(({ ggmlDir }) => existsSync(ggmlDir));
}
