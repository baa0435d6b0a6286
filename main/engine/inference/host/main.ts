/**
 * @file The model host: a process of its own, because inference libraries abort on many faults. It serves hostContract
 * to whoever started it and ends with it. It opens no database and no socket.
 */
import pino from "pino";
import { createRpcServer, type ElectronPort, portOfElectron, portOfParent } from "../../rpc/index.ts";
import type { Port } from "../../../shared/rpc/port.ts";
import { hostContract } from "./contract.ts";
import { createHostHandlers } from "./handlers.ts";

type ElectronParentPort = {
  on(event: "message", listener: (event: { data: unknown; ports: ElectronPort[] }) => void): void;
};

const log = pino({ level: "warn", base: null }, pino.destination(2));
const server = createRpcServer(hostContract, createHostHandlers(), { log });

function serve(port: Port): void {
  server.serve(port);
  port.onClose(() => process.exit(0));
}

// Electron adds parentPort to a utility process; Node does not know it. The shell hands over a port that leads
// straight to the engine.
const { parentPort } = process as NodeJS.Process & { parentPort?: ElectronParentPort };
if (parentPort) parentPort.on("message", ({ ports }) => ports.forEach((port) => serve(portOfElectron(port))));
else serve(portOfParent());
