import { useEngine } from "../../engine/engine-context.ts";
import { importSample, openImportDialog } from "../../engine/import-documents.ts";
import { useEngineQuery } from "../../engine/queries.ts";
import { paletteAction, type PaletteCommand, palettePlace } from "../../lib/palette-command.ts";
import { navigate } from "../../lib/use-route.ts";

/** Imports, and every document. */
export function useCorpusPalette(isOpen: boolean): PaletteCommand[] {
  const engine = useEngine();
  const { data: workspace } = useEngineQuery("workspace.status", {});
  const { data: documents = [] } = useEngineQuery("corpus.listDocuments", {}, { enabled: isOpen });
  return [
    ...(engine.kind === "desktop"
      ? [paletteAction("import", "Import PDFs…", () => void openImportDialog(engine))]
      : []),
    ...(workspace?.sampleCorpusAvailable
      ? [
          paletteAction("sample", "Import the sample corpus", () => {
            navigate({ screen: "corpus" });
            void importSample(engine);
          }),
        ]
      : []),
    ...documents.map(({ id, title }) => palettePlace("Documents", id, title, { screen: "corpus", documentId: id })),
  ];
}
