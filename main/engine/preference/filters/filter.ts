import type { FilterReason } from "../../../shared/filter-reasons.ts";
import type { Filters } from "../../recipe/index.ts";

/** One ground on which a draft is refused: a file each, listed in registry.ts in the order in which they are asked. */
export type Filter<Subject> = {
  /** Counted in the ledger. Several filters may give the same one. */
  reason: FilterReason;
  /** The recipe's numbers that it goes by. */
  numbers?: readonly (keyof Filters)[];
  /** Its words and measures hold for English only. */
  assumes?: "english";
  refuses(subject: Subject): boolean;
};

/** The reason of the first filter that refuses; null when the draft may stand. */
export function refusalOf<Subject>(
  filters: readonly Filter<Subject>[],
  subject: Subject,
  language: string,
): FilterReason | null {
  return filters.find((filter) => holdsFor(filter, language) && filter.refuses(subject))?.reason ?? null;
}

export function holdsFor({ assumes }: { assumes?: "english" }, language: string): boolean {
  return assumes === undefined || language === "en";
}
