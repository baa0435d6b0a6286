import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import pino, { type Logger } from "pino";

export type Log = Logger;

const ROTATE_BYTES = 5 * 1024 * 1024;

/** JSON lines, written at once; the previous file is kept as `.1` when it has grown past the limit. */
export function openLog(path: string): Log {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && statSync(path).size > ROTATE_BYTES) renameSync(path, `${path}.1`);
  return pino({ level: "info", base: null }, pino.destination({ dest: path, sync: true }));
}

/** Calls back with each line of a stream of bytes that arrives in pieces. */
export function forEachLine(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (!stream) return;
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (part: string) => {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) onLine(line.slice(0, 2000));
  });
}
