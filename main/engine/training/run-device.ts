import { AppError } from "../../shared/errors.ts";
import type { TrainingRunId } from "../../shared/ids.ts";
import type { TrainingDeps } from "./deps.ts";
import type { TrainerEvent } from "./trainer-events.ts";

/** `--set device=cuda0`: for this run alone. */
export function wantedDevice({ device }: Record<string, unknown>): string | undefined {
  if (device === undefined || device === null) return undefined;
  if (typeof device === "string") return device;
  throw new AppError("VALIDATION_FAILED", "device is the name of a device, for example cpu or cuda0");
}

/** What the run really computes on, in the trainer's own words: in its row and in the job's history. */
export function recordDevice(
  deps: Pick<TrainingDeps, "runs">,
  runId: TrainingRunId,
  { device }: TrainerEvent & { event: "hello" },
  from: string,
  record: (kind: string, payload: unknown) => void,
): void {
  if (!device) return;
  const { name, description, memory_free_mb, memory_total_mb } = device;
  const ofRun = {
    name,
    description,
    package: from,
    memoryFreeMb: Math.floor(memory_free_mb),
    memoryTotalMb: Math.floor(memory_total_mb),
  };
  deps.runs.setDevice(runId, ofRun);
  record("started", { runId, device: ofRun });
}
