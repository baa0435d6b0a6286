import type { Route } from "./routes.ts";
import { navigate } from "./use-route.ts";

/** A line of the palette. Actions stand before places; `group` says beside it what kind of thing it is. */
export type PaletteCommand = { id: string; group: string; label: string; run(): void };

const ACTIONS = "Do";

export function paletteAction(id: string, label: string, run: () => void): PaletteCommand {
  return { id, group: ACTIONS, label, run };
}

export function palettePlace(group: string, id: string, label: string, route: Route): PaletteCommand {
  return { id, group, label, run: () => navigate(route) };
}

export function isAction({ group }: PaletteCommand): boolean {
  return group === ACTIONS;
}
