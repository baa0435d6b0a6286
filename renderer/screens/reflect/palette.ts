import { useEngineQuery } from "../../engine/queries.ts";
import { type PaletteCommand, palettePlace } from "../../lib/palette-command.ts";

/** Every question that was asked. */
export function useReflectPalette(isOpen: boolean): PaletteCommand[] {
  const { data: reflections = [] } = useEngineQuery("reflection.list", {}, { enabled: isOpen });
  return reflections.map(({ id, question }) =>
    palettePlace("Reflections", id, question, { screen: "reflect", reflectionId: id }),
  );
}
