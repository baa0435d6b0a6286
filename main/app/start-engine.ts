import { existsSync } from "node:fs";
import { AppError } from "../shared/errors.ts";
import { startChildEngine } from "./child-engine.ts";
import type { StartEngine } from "./engine-process.ts";
import type { Log } from "./log.ts";
import type { Places } from "./places.ts";
import { startUtilityEngine } from "./utility-engine.ts";

/** The database's native code asks for the Node-API of this release; an older one ends the process without a word. */
const OLDEST_NODE = [22, 14] as const;

export function chooseStartEngine(places: Places, log: Log, nodeVersion = process.versions.node): StartEngine {
  if (isNodeRecent(nodeVersion)) return (init) => startUtilityEngine(places.enginePath, init, log);
  return (init) => {
    if (!existsSync(places.nodePath)) throw noNode(places.nodePath, nodeVersion);
    return startChildEngine(places.enginePath, places.nodePath, init, log);
  };
}

export function isNodeRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

function noNode(nodePath: string, nodeVersion: string): AppError {
  return new AppError(
    "NODE_TOO_OLD",
    `This Electron has Node ${nodeVersion}, and there is no newer Node at ${nodePath}`,
    {
      hint: `Install the packages with npm, or let PREFLEXOR_NODE name a Node of at least ${OLDEST_NODE.join(".")}.`,
    },
  );
}
