import { useMantineColorScheme } from "@mantine/core";
import { isAction, paletteAction, type PaletteCommand } from "../lib/palette-command.ts";
import { navigate } from "../lib/use-route.ts";
import { SCREENS } from "./screens.ts";

/** Everything that can be done or gone to by name. */
export function usePaletteCommands(isOpen: boolean): PaletteCommand[] {
  const { setColorScheme } = useMantineColorScheme();
  const ofScreens: PaletteCommand[] = [];
  // oxlint-disable-next-line react/hooks -- the table never changes, so these hooks are always called in the same order
  for (const { usePalette } of SCREENS) ofScreens.push(...usePalette(isOpen));
  return [
    ...SCREENS.map(({ name, goTo }) => paletteAction(`screen.${name}`, goTo, () => navigate({ screen: name }))),
    ...ofScreens.filter(isAction),
    paletteAction("theme.light", "Use the light scheme", () => setColorScheme("light")),
    paletteAction("theme.dark", "Use the dark scheme", () => setColorScheme("dark")),
    paletteAction("theme.auto", "Use the system's scheme", () => setColorScheme("auto")),
    ...ofScreens.filter((command) => !isAction(command)),
  ];
}
