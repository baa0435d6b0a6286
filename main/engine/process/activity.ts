import { MessageChannel } from "node:worker_threads";
import { engineContract, type EngineContract, type EngineEvents } from "../../shared/contract/index.ts";
import type { EngineActivity } from "../../shared/engine-frames.ts";
import { createRpcClient } from "../../shared/rpc/client.ts";
import type { Port } from "../../shared/rpc/port.ts";
import { portOfMessagePort } from "../rpc/index.ts";

/**
 * Tells the shell what is running, whenever that changes. It is a client of the contract like any window: the shell
 * gets no back door into the engine.
 */
export function reportActivity(serve: (port: Port) => void, report: (activity: EngineActivity) => void): void {
  const { port1, port2 } = new MessageChannel();
  serve(portOfMessagePort(port1));
  const engine = createRpcClient<EngineContract, EngineEvents>(engineContract, portOfMessagePort(port2));
  let reported = "";

  const refresh = async () => {
    const jobs = await engine.client.job.list({ limit: 500 });
    const running = jobs.filter((job) => job.status === "running");
    const activity = {
      runningJobs: running.map(({ type, title }) => ({ type, title })),
      isTraining: running.some((job) => job.type.startsWith("training.")),
    };
    const text = JSON.stringify(activity);
    if (text === reported) return; // progress arrives ten times a second, the set of jobs rarely changes
    reported = text;
    report(activity);
  };
  const known = new Map<string, string>();
  engine.on("job.changed", ({ job }) => {
    if (known.get(job.id) === job.status) return;
    known.set(job.id, job.status);
    void refresh().catch(() => {}); // the engine is closing
  });
  void refresh().catch(() => {});
}
