import type { JobRow } from "../../shared/contract/job.ts";
import { formatDuration, shorten } from "./output.ts";

const BAR_WIDTH = 24;

/** Progress for people: one line rewritten in place on a terminal, one line per job and tenth of the way elsewhere. */
export function showProgress(): { update(job: JobRow): void; end(): void } {
  return process.stderr.isTTY ? onTerminal() : asLines();
}

function onTerminal() {
  let isShown = false;
  return {
    update(job: JobRow) {
      if (job.status !== "running" || !job.progress) return;
      const width = (process.stderr.columns || 100) - 1;
      process.stderr.write(`\r\u001B[K${shorten(lineOf(job), width)}`);
      isShown = true;
    },
    end() {
      if (isShown) process.stderr.write("\r\u001B[K");
    },
  };
}

function asLines() {
  const shown = new Map<string, number>();
  return {
    update(job: JobRow) {
      if (job.status !== "running" || !job.progress) return;
      const { n, total } = job.progress;
      const tenth = total ? Math.floor((n / total) * 10) : 0;
      if (shown.get(job.id) === tenth) return;
      shown.set(job.id, tenth);
      process.stderr.write(`  ${lineOf(job)}\n`);
    },
    end() {},
  };
}

function lineOf(job: JobRow): string {
  const { n, total, unit, message } = job.progress ?? { n: 0, total: null, unit: "", message: "" };
  const count = total === null ? `${n} ${unit}` : `${bar(n / total)} ${n} of ${total} ${unit}`;
  const elapsed = job.startedAt === null ? "" : formatDuration(Date.now() - job.startedAt);
  return `${job.title}  ${count}  ${elapsed}  ${message}`;
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}]`;
}
