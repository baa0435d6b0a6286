import { IconBooks, IconListCheck, IconTopologyStar3, IconVersions } from "@tabler/icons-react";
import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import type { PaletteCommand } from "../lib/palette-command.ts";
import type { ScreenName } from "../lib/routes.ts";
import { useCorpusPalette } from "../screens/corpus/palette.ts";
import { useGraphPalette } from "../screens/graph/palette.ts";
import { useJobsPalette } from "../screens/jobs/palette.ts";
import { useReflectPalette } from "../screens/reflect/palette.ts";

export type ScreenEntry = {
  name: ScreenName;
  /** In the rail and in the title of the window. */
  label: string;
  Icon: typeof IconBooks;
  /** Loaded when it is first shown: WebGL and its layout, for one, are needed on one screen only. */
  Screen: LazyExoticComponent<ComponentType>;
  /** How the palette calls going there. */
  goTo: string;
  /** What else the palette offers of this screen: its actions and its places. */
  usePalette(isOpen: boolean): PaletteCommand[];
};

/**
 * Every screen of the window, in the order of the rail. Shell, rail, titles and palette read this table; a screen is its
 * line here, its places in lib/routes.ts, and its folder.
 */
export const SCREENS: readonly ScreenEntry[] = [
  {
    name: "corpus",
    label: "Corpus",
    Icon: IconBooks,
    Screen: lazy(() => import("../screens/corpus/CorpusScreen.tsx")),
    goTo: "Go to Corpus",
    usePalette: useCorpusPalette,
  },
  {
    name: "graph",
    label: "Graph",
    Icon: IconTopologyStar3,
    Screen: lazy(() => import("../screens/graph/GraphScreen.tsx")),
    goTo: "Go to Graph",
    usePalette: useGraphPalette,
  },
  {
    name: "reflect",
    label: "Reflect",
    Icon: IconVersions,
    Screen: lazy(() => import("../screens/reflect/ReflectScreen.tsx")),
    goTo: "Ask a question",
    usePalette: useReflectPalette,
  },
  {
    name: "jobs",
    label: "Jobs",
    Icon: IconListCheck,
    Screen: lazy(() => import("../screens/jobs/JobsScreen.tsx")),
    goTo: "Go to Jobs",
    usePalette: useJobsPalette,
  },
];

export function screenOf(name: ScreenName): ScreenEntry {
  return SCREENS.find((screen) => screen.name === name) ?? SCREENS[0]!;
}
