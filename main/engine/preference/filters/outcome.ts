import type { FilterReason } from "../../../shared/filter-reasons.ts";

/** A step's result, or the reason why there is none. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; reason: FilterReason };

export const found = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const filtered = <T>(reason: FilterReason): Outcome<T> => ({ ok: false, reason });
