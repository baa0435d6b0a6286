import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import pino, { type Logger as PinoLogger } from "pino";

export type Logger = PinoLogger;

/** JSON lines to a file, written at once: a log that is lost in a crash is no log. Texts of papers and models stay out of it. */
export function createFileLogger(path: string, level = "info"): Logger {
  mkdirSync(dirname(path), { recursive: true });
  return pino({ level, base: null }, pino.destination({ dest: path, sync: true }));
}

export function createSilentLogger(): Logger {
  return pino({ level: "silent" });
}
