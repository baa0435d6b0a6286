import type { SerializedError } from "../../shared/errors.ts";

/** stdout carries results, stderr everything that is said on the way. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function printError(error: SerializedError, bug?: unknown): void {
  note(`Error (${error.code}): ${error.message}`);
  if (error.hint) note(error.hint);
  if (bug instanceof Error && process.env["PREFLEXOR_DEBUG"]) note(bug.stack ?? "");
}

export type Column<Row> = { header: string; value(row: Row): string; align?: "right" };

/** A plain text table: two spaces between columns, numbers to the right. */
export function printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, i) =>
    Math.max(column.header.length, ...cells.map((row) => (row[i] ?? "").length)),
  );
  const line = (values: readonly string[]) =>
    values
      .map((value, i) =>
        columns[i]?.align === "right" ? value.padStart(widths[i] ?? 0) : value.padEnd(widths[i] ?? 0),
      )
      .join("  ")
      .trimEnd();
  print(line(columns.map((column) => column.header)));
  for (const row of cells) print(line(row));
}

export function shorten(text: string, length: number): string {
  const oneLine = text.replaceAll(/\s+/g, " ").trim();
  return oneLine.length <= length ? oneLine : `${oneLine.slice(0, length - 1)}…`;
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
