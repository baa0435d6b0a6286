import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { DocumentRow, SearchMode } from "../../../main/shared/contract/corpus.ts";

export type SortKey = "title" | "nPages" | "nChunks" | "importedAt" | "status";

type CorpusView = {
  query: string;
  mode: SearchMode;
  sortKey: SortKey;
  isDescending: boolean;
  /** Share of the width that the document panel takes, in per cent. */
  panelShare: number;
  areChunksShown: boolean;
  isTextShown: boolean;
  sortBy(key: SortKey): void;
};

/** What the user has set on this screen; survives a restart. */
export const useCorpusView = create<CorpusView>()(
  persist(
    (set) => ({
      query: "",
      mode: "hybrid",
      sortKey: "importedAt",
      isDescending: true,
      panelShare: 56,
      areChunksShown: true,
      isTextShown: false,
      sortBy: (key) =>
        set(({ sortKey, isDescending }) => ({ sortKey: key, isDescending: key === sortKey ? !isDescending : false })),
    }),
    { name: "studio.corpus" },
  ),
);

export function sortDocuments(rows: readonly DocumentRow[], key: SortKey, isDescending: boolean): DocumentRow[] {
  const sign = isDescending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare(a[key], b[key]) || compare(a.title, b.title));
}

function compare(a: string | number, b: string | number): number {
  return typeof a === "string" ? a.localeCompare(String(b), "en", { numeric: true }) : a - Number(b);
}
