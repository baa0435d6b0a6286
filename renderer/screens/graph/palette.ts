import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { paletteAction, type PaletteCommand, palettePlace } from "../../lib/palette-command.ts";
import { navigate } from "../../lib/use-route.ts";

/** The rebuild, and every concept. */
export function useGraphPalette(isOpen: boolean): PaletteCommand[] {
  const build = useEngineCommand("graph.build");
  const { data: graph } = useEngineQuery("graph.get", {}, { enabled: isOpen });
  return [
    paletteAction("graph.build", "Rebuild the graph", () =>
      build.mutate({}, { onSuccess: () => navigate({ screen: "jobs" }) }),
    ),
    ...(graph?.concepts ?? []).map(({ id, label }) =>
      palettePlace("Concepts", id, label, { screen: "graph", focus: { kind: "concept", id } }),
    ),
  ];
}
