import type { Device, UnusedPackage } from "../../shared/contract/device.ts";
import { AppError } from "../../shared/errors.ts";

export type Found = { devices: readonly Device[]; unused: readonly UnusedPackage[] };

export const AUTO = "auto";

/**
 * "auto" is a graphics card by CUDA, else by another interface, else the processor. A graphics unit that shares the
 * processor's memory is seldom faster here, and a software device never is: both only by name.
 * Errors: DEVICE_UNAVAILABLE, with what there is and why the wanted one is not.
 */
export function chooseDevice({ devices, unused }: Found, wanted: string): Device {
  const name = wanted.toLowerCase();
  const chosen =
    name === AUTO
      ? (devices.find(({ type }) => type === "gpu") ?? devices.find(({ type }) => type === "cpu"))
      : devices.find((device) => device.name === name);
  if (chosen) return chosen;
  const reasons = unused.filter(({ backend }) => name === AUTO || name.startsWith(backend));
  const there = devices.map((device) => device.name).join(", ");
  throw new AppError(
    "DEVICE_UNAVAILABLE",
    [
      `The device ${wanted} is not available here`,
      ...reasons.map(({ package: of, reason }) => `${of}: ${reason}`),
    ].join("; "),
    {
      hint: [
        ...new Set(reasons.map(({ nextStep }) => nextStep)),
        ...(there === "" ? [] : [`There are: ${there}.`]),
      ].join(" "),
      details: { wanted, devices: devices.map((device) => device.name) },
    },
  );
}

/** What speaks against computing on the processor because nobody chose otherwise: a graphics card that cannot serve. */
export function faultOf({ unused }: Found, wanted: string, chosen: Device): UnusedPackage | undefined {
  if (wanted.toLowerCase() !== AUTO || chosen.type !== "cpu") return undefined;
  return unused.find(({ isFault }) => isFault);
}
