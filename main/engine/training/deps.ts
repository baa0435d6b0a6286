import type { Devices } from "../devices/index.ts";
import type { Emit } from "../lib/events.ts";
import type { ModelRunner } from "../inference/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Models } from "../models/index.ts";
import type { Preference } from "../preference/index.ts";
import type { RunStore } from "./run-store.ts";

/** What training is given by createEngine. */
export type TrainingDeps = {
  runs: RunStore;
  models: Models["api"];
  preference: Preference["api"];
  runner: ModelRunner;
  devices: Devices["api"];
  workspaceDir: string;
  resourcesDir: string;
  clock: Clock;
  log: Logger;
  emit: Emit;
};
