import type { FilterReason } from "../../../shared/filter-reasons.ts";

/** A step's result, or the reason why there is none, with the text that was refused last: it is kept to be looked at. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; reason: FilterReason; refused?: string };

export const found = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const filtered = <T>(reason: FilterReason, refused?: string): Outcome<T> => ({
  ok: false,
  reason,
  ...(refused === undefined ? {} : { refused }),
});
