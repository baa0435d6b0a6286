/** @file The product's own model host as a child of this Node, for tests that need the real thing. */
import { resolve } from "node:path";
import {
  createModelHost,
  createModelRunner,
  type Gpu,
  type HostProcess,
  startNodeHost,
} from "../../main/engine/inference/index.ts";

const entryPath = resolve(import.meta.dirname, "../../main/engine/inference/host/main.ts");

/** `gpu`: the variant of the inference library, by default the processor's. */
export function startTestHost(gpu: Gpu = false) {
  const processes: HostProcess[] = [];
  const start = startNodeHost(entryPath);
  const host = createModelHost({
    startHost(name) {
      const started = start(name);
      processes.push(started);
      return started;
    },
  });
  return {
    host,
    runner: createModelRunner(host, async () => gpu),
    /** SIGKILL to the process that lives now. */
    kill: () => processes.at(-1)?.kill(),
  };
}
