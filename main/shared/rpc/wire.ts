import { AppError } from "../errors.ts";

/**
 * [Note: wire format] A transport that knows only bytes (a WebSocket) carries each frame as one binary message:
 * the length of the JSON (uint32, little endian), the JSON, then the attachments, each on an 8-byte boundary counted
 * from the start of the message. Where structured clone would keep a typed array, the JSON says
 * `{"$bytes":[offset,length]}` or `{"$floats":[offset,count]}`; numbers that JSON does not have are
 * `{"$number":"NaN"}`. A key of the value itself that begins with `$` gets a second one, so nothing can be mistaken.
 * Properties that are undefined are left out. Anything else that JSON cannot say (dates, maps, bigints) is a bug here.
 */
export function encodeMessage(value: unknown): Uint8Array<ArrayBuffer> {
  const attachments: (Uint8Array | Float32Array)[] = [];
  const offsets: number[] = [];
  let nAttachmentBytes = 0;
  const attach = (array: Uint8Array | Float32Array): [number, number] => {
    const offset = nAttachmentBytes;
    attachments.push(array);
    offsets.push(offset);
    nAttachmentBytes += align(array.byteLength);
    return [offset, array.length];
  };
  const json = new TextEncoder().encode(JSON.stringify(toJson(value, attach)));
  const base = align(HEADER_BYTES + json.length);
  const message = new Uint8Array(base + nAttachmentBytes);
  new DataView(message.buffer).setUint32(0, json.length, true);
  message.set(json, HEADER_BYTES);
  for (const [i, array] of attachments.entries()) {
    message.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), base + offsets[i]!);
  }
  return message;
}

/** The arrays of the result own their memory: the message can be dropped or reused. */
export function decodeMessage(message: Uint8Array): unknown {
  if (message.length < HEADER_BYTES) throw malformed("it is too short");
  const nJsonBytes = new DataView(message.buffer, message.byteOffset).getUint32(0, true);
  if (nJsonBytes > message.length - HEADER_BYTES) throw malformed("its JSON is cut off");
  const base = align(HEADER_BYTES + nJsonBytes);
  let json: unknown;
  try {
    json = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(message.subarray(HEADER_BYTES, HEADER_BYTES + nJsonBytes)),
    );
  } catch (error) {
    throw malformed("its JSON cannot be read", error);
  }
  return fromJson(json, (span, bytesPerElement) => sliceOf(message, base, span, bytesPerElement));
}

const HEADER_BYTES = 4;
const align = (n: number) => Math.ceil(n / 8) * 8;

type Attach = (array: Uint8Array | Float32Array) => [number, number];
type Detach = (span: unknown, bytesPerElement: number) => ArrayBuffer;

function toJson(value: unknown, attach: Attach): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number")
    return isJsonNumber(value) ? value : { $number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value !== "object") throw new TypeError(`A ${typeof value} cannot be sent to the other side`);
  if (value instanceof Uint8Array) return { $bytes: attach(value) };
  if (value instanceof Float32Array) return { $floats: attach(value) };
  if (Array.isArray(value)) return value.map((item) => toJson(item, attach));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`A ${value.constructor.name} cannot be sent to the other side`);
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.map(([key, item]) => [key.startsWith("$") ? `$${key}` : key, toJson(item, attach)]),
  );
}

function fromJson(value: unknown, detach: Detach): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => fromJson(item, detach));
  const entries: [string, unknown][] = Object.entries(value);
  const [key, item] = entries[0] ?? [];
  if (key === "$bytes") return new Uint8Array(detach(item, 1));
  if (key === "$floats") return new Float32Array(detach(item, 4));
  if (key === "$number") return Number(item);
  return Object.fromEntries(
    entries.map(([name, child]) => [name.startsWith("$") ? name.slice(1) : name, fromJson(child, detach)]),
  );
}

function sliceOf(message: Uint8Array, base: number, span: unknown, bytesPerElement: number): ArrayBuffer {
  const [offset, length] = Array.isArray(span) ? (span as unknown[]) : [];
  if (!isCount(offset) || !isCount(length)) throw malformed("an attachment has no place");
  const start = base + offset;
  const end = start + length * bytesPerElement;
  if (end > message.length) throw malformed("an attachment is cut off");
  return message.slice(start, end).buffer; // slice() always copies into memory of its own
}

function isJsonNumber(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function malformed(why: string, cause?: unknown): AppError {
  return new AppError("VALIDATION_FAILED", `A message could not be read: ${why}`, { cause });
}
