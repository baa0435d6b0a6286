import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { ConceptType } from "../../../main/shared/contract/graph.ts";

type GraphSettings = { hiddenTypes: ConceptType[]; toggleType(type: ConceptType): void };

export const useGraphSettings = create<GraphSettings>()(
  persist(
    (set) => ({
      hiddenTypes: [],
      toggleType: (type) =>
        set(({ hiddenTypes }) => ({
          hiddenTypes: hiddenTypes.includes(type)
            ? hiddenTypes.filter((other) => other !== type)
            : [...hiddenTypes, type],
        })),
    }),
    { name: "studio.graph" },
  ),
);
