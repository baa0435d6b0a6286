import { z } from "zod";
import type { Device, UnusedPackage } from "../../shared/contract/device.ts";
import { askTrainer, type TrainerAnswer } from "./ask-trainer.ts";
import type { ComputePackage } from "./packages.ts";
import { explainUnused } from "./reasons.ts";

const Backend = z.object({
  name: z.string(),
  library: z.string(),
  devices: z.int(),
  /** The loader's words; null for a library that loads. */
  problem: z.string().nullable(),
});
/** What `native-trainer devices` prints. */
export const DevicesLine = z.object({
  event: z.literal("devices"),
  devices: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      backend: z.string(),
      type: z.enum(["gpu", "integrated gpu", "accelerator", "software", "cpu"]),
      memory_free_mb: z.number(),
      memory_total_mb: z.number(),
    }),
  ),
  backends: z.array(Backend),
  /** Whether what a graphics card's driver brings is there. */
  drivers: z.object({ cuda: z.boolean(), vulkan: z.boolean() }),
});
export type DevicesLine = z.infer<typeof DevicesLine>;

const ErrorLine = z.object({ event: z.literal("error"), code: z.string(), message: z.string() });

/** What one package can compute on, or why it cannot. */
export type Probed = { devices: Device[]; unused: UnusedPackage | null };

const PROBE_TIMEOUT_MS = 20_000;

export async function probePackage(
  trainerPath: string,
  found: ComputePackage,
  timeoutMs = PROBE_TIMEOUT_MS,
): Promise<Probed> {
  const answer = await askTrainer({ trainerPath, ...found }, ["devices"], timeoutMs);
  return readAnswer(found, answer);
}

export function readAnswer(found: ComputePackage, answer: TrainerAnswer): Probed {
  const line = answer.end?.code === 0 ? answer.lines.map((each) => DevicesLine.safeParse(each)).at(-1) : undefined;
  if (!line?.success) return { devices: [], unused: explainUnused(found, { failure: describeFailure(answer) }) };
  const devices = line.data.devices.map((device): Device => ({
    name: device.name,
    description: device.description,
    backend: backendOf(device.backend, found.backend),
    type: device.type,
    package: found.name,
    memoryFreeMb: Math.floor(device.memory_free_mb),
    memoryTotalMb: Math.floor(device.memory_total_mb),
  }));
  const isServed = found.backend === "cpu" || devices.some(({ backend }) => backend === found.backend);
  return { devices, unused: isServed ? null : explainUnused(found, { line: line.data }) };
}

function backendOf(name: string, ofPackage: Device["backend"]): Device["backend"] {
  if (name === "cuda" || name === "vulkan" || name === "cpu") return name;
  return name === "metal" || name === "mtl" ? "metal" : ofPackage;
}

function describeFailure({ lines, end, stderr }: TrainerAnswer): string {
  if (end === null) return "it gave no answer in time";
  const error = ErrorLine.safeParse(lines.at(-1));
  if (error.success) return error.data.message;
  const how = end.signal ? `it was ended by ${end.signal}` : `it ended with exit code ${end.code}`;
  const lastWords = stderr.trim().split("\n").at(-1) ?? "";
  return lastWords === "" ? how : `${how}: ${lastWords.slice(0, 300)}`;
}
