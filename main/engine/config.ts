import type { DeviceConfig } from "./devices/index.ts";
import type { StartHost } from "./inference/index.ts";
import type { Clock } from "./lib/clock.ts";
import type { Logger } from "./lib/logger.ts";

/** Everything that the engine gets from its shell. Paths are absolute; the engine looks nothing up in its surroundings. */
export type EngineConfig = {
  workspaceDir: string;
  /** Where `models get` puts files; the user's cache directory when absent. */
  modelCacheDir?: string | undefined;
  resourcesDir: string;
  pdfWorkerPath: string;
  compute: DeviceConfig;
  startHost: StartHost;
  log: Logger;
  version: string;
  clock?: Clock;
  /** Parse the outputs of every call, too: for tests and development. */
  checkOutputs?: boolean;
};
