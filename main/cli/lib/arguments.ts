import { InvalidArgumentError } from "commander";

export function parsePositiveInt(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return number;
}

export function parseCount(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError("It must be a whole number from 0.");
  return number;
}

/** Collects `--set key=value` into one record. */
export function collectSetting(value: string, earlier: Record<string, string>): Record<string, string> {
  const at = value.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be key=value.");
  return { ...earlier, [value.slice(0, at)]: value.slice(at + 1) };
}
