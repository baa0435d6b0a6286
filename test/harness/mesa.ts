import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";

const MANIFESTS_DIR = "/usr/share/vulkan/icd.d";
const LIBRARY_DIRS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"];

/** The major version of Mesa's software Vulkan device (llvmpipe), as its library says; null where there is none. */
export function mesaVersion(): number | null {
  if (!existsSync(MANIFESTS_DIR)) return null;
  const manifest = readdirSync(MANIFESTS_DIR).find((name) => /^lvp_icd.*\.json$/.test(name));
  if (!manifest) return null;
  const text = readFileSync(join(MANIFESTS_DIR, manifest), "utf8");
  const { library_path: name } = (JSON.parse(text) as { ICD: { library_path: string } }).ICD;
  const paths = isAbsolute(name) ? [name] : LIBRARY_DIRS.map((dir) => join(dir, name));
  const path = paths.find((each) => existsSync(each));
  const version = path && /Mesa (\d+)\.\d+/.exec(readFileSync(path, "latin1"))?.[1];
  return version ? Number(version) : null;
}
