import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { AppError } from "../../../shared/errors.ts";

/** One JSON value of a file, and where it begins: "pairs.jsonl, line 3". */
export type FileRecord = { value: unknown; where: string };

/** What a string of JavaScript can hold, with room to spare. */
const MAX_BYTES = 400 * 2 ** 20;
const FORMAT_HINT = "Save the pairs as JSON Lines in UTF-8: one JSON object a line.";

/** Errors: NOT_FOUND, and VALIDATION_FAILED for a file of another kind. */
export async function readPairText(path: string): Promise<string> {
  const text = decode(unpack(await readBytes(path), path), path);
  if (text.trim() === "") throw new AppError("VALIDATION_FAILED", `The pairs file ${path} is empty`);
  return text;
}

/**
 * The JSON values of a text: one a line, or the items of one list, or objects that go over several lines; a list may
 * also lie in an object, as dataset servers give it.
 */
export function recordsOf(text: string, path: string): FileRecord[] {
  const isList = text.trimStart().startsWith("[");
  if (isList || !isJson(firstLine(text))) {
    const items = splitItems(text, isList ? 1 : 0);
    if (isList || items.every(({ json }) => isJson(json))) return unwrap(items.map((item) => parseItem(item, path)));
  }
  const lines = text.split(/\r\n|\n|\r/).map((json, i) => ({ json: json.replace(/^\uFEFF/, ""), line: i + 1 }));
  return unwrap(lines.filter(({ json }) => json.trim() !== "").map((item) => parseItem(item, path)));
}

async function readBytes(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const isFolder = (cause as { code?: unknown }).code === "EISDIR";
    const why = isFolder ? "is a folder" : "cannot be read";
    throw new AppError("NOT_FOUND", `The pairs file ${path} ${why}`, { hint: "Give the path of one file.", cause });
  }
  if (bytes.length > MAX_BYTES) throw otherKind(path, `is larger than ${MAX_BYTES / 2 ** 20} MB`, "Split it.");
  return bytes;
}

function unpack(bytes: Buffer, path: string): Buffer {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
    } catch (cause) {
      throw otherKind(path, `cannot be unpacked (${(cause as Error).message})`, FORMAT_HINT, cause);
    }
  }
  const start = bytes.toString("latin1", 0, 4);
  if (start === "PAR1") throw otherKind(path, "is a Parquet file", FORMAT_HINT);
  if (start.startsWith("PK")) throw otherKind(path, "is a ZIP archive", "Unpack it first.");
  return bytes;
}

/** By the byte order mark; spreadsheets and PowerShell write UTF-16. */
function decode(bytes: Buffer, path: string): string {
  const [first = 0, second = 0] = bytes;
  const isLittle = (first === 0xff && second === 0xfe) || (first !== 0 && second === 0 && bytes.length > 1);
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  const encoding = isLittle ? "utf-16le" : isBig ? "utf-16be" : "utf-8";
  try {
    // a byte order mark is left out
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw otherKind(path, "is not a text in UTF-8", FORMAT_HINT, cause);
  }
}

function otherKind(path: string, what: string, hint: string, cause?: unknown): AppError {
  return new AppError("VALIDATION_FAILED", `The pairs file ${path} ${what}`, { hint, cause });
}

type Item = { json: string; line: number };

function firstLine(text: string): string {
  return text.trimStart().split(/\r\n|\n|\r/, 1)[0]!;
}

/** The values that begin at this depth of brackets, each with the line of its first character. */
function splitItems(text: string, itemDepth: 0 | 1): Item[] {
  const items: Item[] = [];
  let depth = 0;
  let line = 1;
  let start = -1;
  let startLine = 1;
  const end = (at: number) => {
    if (start >= 0) items.push({ json: text.slice(start, at), line: startLine });
    start = -1;
  };
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\[^][^"\\]*)*"?|\n|[{}[\],]|[^\s"{}[\],]+/g)) {
    if (token === "\n") line++;
    else if (token === "," && depth === itemDepth) end(index);
    else if (token === "]" && depth === itemDepth) end(index);
    else if (start < 0 && depth === itemDepth) [start, startLine] = [index, line];
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    if (itemDepth === 0 && depth === 0 && (token === "}" || token === "]")) end(index + 1);
  }
  end(text.length);
  return items;
}

function parseItem({ json, line }: Item, path: string): FileRecord {
  const where = `${path}, line ${line}`;
  try {
    return { value: parseLenient(json), where };
  } catch (cause) {
    throw new AppError("VALIDATION_FAILED", `${where} is not JSON`, { hint: FORMAT_HINT, cause });
  }
}

function isJson(text: string): boolean {
  try {
    parseLenient(text);
    return true;
  } catch {
    return false;
  }
}

/** Python writes NaN and Infinity, which are no JSON; they can only stand in keys that are not read here. */
function parseLenient(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const repaired = text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
      token.startsWith('"') ? token : "null",
    );
    if (repaired === text) throw error;
    return JSON.parse(repaired);
  }
}

const LIST_KEYS = ["data", "rows", "train", "pairs", "examples"];

function unwrap(records: FileRecord[]): FileRecord[] {
  const [only] = records;
  const outer = records.length === 1 ? (only?.value as Record<string, unknown> | null) : null;
  const key = outer && !("chosen" in outer) ? LIST_KEYS.find((name) => Array.isArray(outer[name])) : undefined;
  if (!only || !outer || key === undefined) return records.map((record) => ({ ...record, value: row(record.value) }));
  const list = outer[key] as unknown[]; // found to be a list
  return list.map((value, i) => ({ value: row(value), where: `${only.where}, item ${i + 1}` }));
}

function row(value: unknown): unknown {
  const isRow = typeof value === "object" && value !== null && "row" in value && "row_idx" in value;
  return isRow ? value.row : value;
}
