import type { UnusedPackage } from "../../shared/contract/device.ts";
import type { ComputePackage } from "./packages.ts";
import type { DevicesLine } from "./probe.ts";

/** Either what the trainer said of a package that gave it no device, or how asking failed. */
type Evidence = { line: DevicesLine } | { failure: string };

/** Why an installed package gives no device, and what the user can do about it. */
export function explainUnused(found: ComputePackage, evidence: Evidence): UnusedPackage {
  const { name, backend } = found;
  const unused = (reason: string, nextStep: string, isFault: boolean): UnusedPackage => ({
    package: name,
    backend,
    reason,
    nextStep,
    isFault,
  });
  if ("failure" in evidence)
    return unused(`asking for its devices failed: ${evidence.failure}`, ofFailure(found), true);
  const problems = evidence.line.backends.filter((entry) => entry.name === backend);
  const missing = problems.flatMap(({ problem }) => (problem === null ? [] : [problem]));
  const hasDriver = backend === "cuda" ? evidence.line.drivers.cuda : evidence.line.drivers.vulkan;
  if (backend === "cuda") return ofCuda(unused, missing, hasDriver, missing.length < problems.length);
  if (backend === "vulkan") return ofVulkan(unused, missing, hasDriver);
  return unused(missing[0] ?? "it finds no device", "Install the program again.", true);
}

type Say = (reason: string, nextStep: string, isFault: boolean) => UnusedPackage;

function ofCuda(say: Say, missing: readonly string[], hasDriver: boolean, isLoadable: boolean): UnusedPackage {
  if (!hasDriver)
    return say(
      "there is no NVIDIA driver",
      "With an NVIDIA card in this machine, install its driver; without one nothing is to be done.",
      false,
    );
  if (isLoadable)
    return say("NVIDIA's driver finds no card that this build can use", "Update NVIDIA's driver and restart.", true);
  return say(
    `NVIDIA's CUDA runtime is not there (${missing.map(shorten).join("; ")})`,
    "Install NVIDIA's CUDA 13 runtime with cuBLAS (CUDA 12 serves, too), where the system's loader finds it.",
    true,
  );
}

function ofVulkan(say: Say, missing: readonly string[], hasDriver: boolean): UnusedPackage {
  if (!hasDriver)
    return say(
      "there is no Vulkan on this machine",
      "With a graphics card in it, install the card's driver (on Debian and Ubuntu libvulkan1, too); without one nothing is to be done.",
      false,
    );
  if (missing.length > 0) return say(shorten(missing[0] ?? ""), "Install the graphics card's driver again.", true);
  return say(
    "Vulkan finds no graphics card",
    "With a graphics card in this machine, install its driver; without one nothing is to be done. A software device counts only with GGML_VK_VISIBLE_DEVICES=0.",
    false,
  );
}

function ofFailure({ backend }: ComputePackage): string {
  if (backend === "cpu") return "Install the program again, or build the trainer with npm run build:native.";
  return "Update the graphics card's driver, or choose another device.";
}

/** "libcudart.so.13: cannot open shared object file: No such file or directory" says no more than its first word. */
function shorten(problem: string): string {
  const library = /^(\S+\.so[.\d]*): cannot open shared object file/.exec(problem)?.[1];
  return library ? `${library} is missing` : problem;
}
