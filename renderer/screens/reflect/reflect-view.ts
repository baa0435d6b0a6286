import { create } from "zustand";
import { persist } from "zustand/middleware";

type ReflectView = {
  /** The question being written, and the settings of the last one asked. */
  question: string;
  modelId: string | null;
  adapterPath: string | null;
  criticId: string | null;
  nIterations: number;
  isRetrieving: boolean;
  isIntegrating: boolean;
  isHistoryShown: boolean;
  isInline: boolean;
  isFolding: boolean;
};

/** Below this width two columns of reading text need the room that the list of earlier questions would take. */
const WIDE_ENOUGH_PX = 1440;

export const useReflectView = create<ReflectView>()(
  persist(
    (): ReflectView => ({
      question: "",
      modelId: null,
      adapterPath: null,
      criticId: null,
      nIterations: 3,
      isRetrieving: true,
      isIntegrating: false,
      isHistoryShown: window.innerWidth >= WIDE_ENOUGH_PX,
      isInline: false,
      isFolding: true,
    }),
    { name: "studio.reflect" },
  ),
);
