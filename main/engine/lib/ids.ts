import { randomBytes } from "node:crypto";

/** UUIDv7 (RFC 9562 §5.7): sorts by time of making, so that rows inserted together lie together. */
export function newId<Id extends string>(now: number = Date.now()): Id {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return id as Id; // the brand is given here and nowhere else
}
