import { randomBytes } from "node:crypto";

let lastMs = 0;
let counter = 0;

/**
 * UUIDv7 (RFC 9562 §5.7) whose 12 bits after the time count within a millisecond (§6.2, method 1): ids of one process
 * sort in the order in which they were made, also when many are made at once or the clock is set back.
 */
export function newId<Id extends string>(now: number = Date.now()): Id {
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (counter === 0xfff) {
    lastMs += 1;
    counter = 0;
  } else {
    counter += 1;
  }
  const bytes = randomBytes(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return id as Id; // the brand is given here and nowhere else
}
