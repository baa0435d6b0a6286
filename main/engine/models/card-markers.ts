import { existsSync, readFileSync } from "node:fs";
import { MarkerSet } from "../../shared/markers.ts";

/** The card beside an adapter file: made by training, carried along when someone copies both. */
export function cardPathOf(adapterPath: string): string {
  return adapterPath.replace(/(\.gguf)?$/i, ".json");
}

/** The marker set that the card names; null without a card, and for cards that say nothing of it. */
export function readCardMarkers(adapterPath: string): MarkerSet | null {
  const path = cardPathOf(adapterPath);
  if (!existsSync(path)) return null;
  try {
    const card: unknown = JSON.parse(readFileSync(path, "utf8"));
    const markers = typeof card === "object" && card !== null && "markers" in card ? card.markers : null;
    return MarkerSet.safeParse(markers).data ?? null;
  } catch {
    return null; // whoever checks the adapter says that its card is damaged
  }
}
