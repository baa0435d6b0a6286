import type { Device } from "../../shared/contract/device.ts";
import { note } from "./output.ts";
import type { Session } from "./session.ts";

/** Says on stderr what is computed on, and of a graphics card that cannot serve why. */
export async function noteDevice({ client }: Session): Promise<void> {
  const { chosen, wanted, unused } = await client.device.list({});
  if (!chosen) return; // the command itself ends with the reason
  note(`Computing on ${chosen.name}: ${chosen.description}, ${describeMemory(chosen)}.`);
  if (wanted !== "auto" || chosen.type !== "cpu") return;
  for (const { package: name, reason, nextStep, isFault } of unused) {
    if (isFault) note(`Warning: the graphics card is not used. ${name}: ${reason}. ${nextStep}`);
  }
}

export function describeMemory({ memoryFreeMb, memoryTotalMb }: Device): string {
  return `${inGigabytes(memoryFreeMb)} of ${inGigabytes(memoryTotalMb)} GB free`;
}

function inGigabytes(mb: number): string {
  return ((mb * 1048576) / 1e9).toFixed(1);
}
