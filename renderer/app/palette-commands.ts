import { useMantineColorScheme } from "@mantine/core";
import { JOB_LIST_INPUT } from "../engine/invalidate.ts";
import { useEngine } from "../engine/engine-context.ts";
import { importSample, openImportDialog } from "../engine/import-documents.ts";
import { useEngineCommand, useEngineQuery } from "../engine/queries.ts";
import type { Route } from "../lib/routes.ts";
import { navigate } from "../lib/use-route.ts";

export type PaletteCommand = { id: string; group: string; label: string; run(): void };

/** Everything that can be done or gone to by name. */
export function usePaletteCommands(isOpen: boolean): PaletteCommand[] {
  const places = usePlaces(isOpen);
  const actions = useActions();
  return [...actions, ...places];
}

function useActions(): PaletteCommand[] {
  const engine = useEngine();
  const { setColorScheme } = useMantineColorScheme();
  const buildGraph = useEngineCommand("graph.build");
  const { data: jobs = [] } = useEngineQuery("job.list", JOB_LIST_INPUT);
  const { data: workspace } = useEngineQuery("workspace.status", {});
  const cancel = useEngineCommand("job.cancel");
  const go = (route: Route) => () => navigate(route);
  const action = (id: string, label: string, run: () => void): PaletteCommand => ({ id, group: "Do", label, run });
  return [
    action("screen.corpus", "Go to Corpus", go({ screen: "corpus" })),
    action("screen.graph", "Go to Graph", go({ screen: "graph" })),
    action("screen.reflect", "Ask a question", go({ screen: "reflect" })),
    action("screen.jobs", "Go to Jobs", go({ screen: "jobs" })),
    ...(engine.kind === "desktop" ? [action("import", "Import PDFs…", () => void openImportDialog(engine))] : []),
    ...(workspace?.sampleCorpusAvailable
      ? [
          action("sample", "Import the sample corpus", () => {
            navigate({ screen: "corpus" });
            void importSample(engine);
          }),
        ]
      : []),
    action("graph.build", "Rebuild the graph", () => buildGraph.mutate({}, { onSuccess: go({ screen: "jobs" }) })),
    action("theme.light", "Use the light scheme", () => setColorScheme("light")),
    action("theme.dark", "Use the dark scheme", () => setColorScheme("dark")),
    action("theme.auto", "Use the system's scheme", () => setColorScheme("auto")),
    ...jobs
      .filter(({ status }) => status === "running" || status === "queued")
      .map((job) => action(`cancel.${job.id}`, `Cancel: ${job.title}`, () => cancel.mutate({ jobId: job.id }))),
  ];
}

function usePlaces(isOpen: boolean): PaletteCommand[] {
  const { data: documents = [] } = useEngineQuery("corpus.listDocuments", {}, { enabled: isOpen });
  const { data: reflections = [] } = useEngineQuery("reflection.list", {}, { enabled: isOpen });
  const { data: graph } = useEngineQuery("graph.get", {}, { enabled: isOpen });
  const place = (group: string, id: string, label: string, route: Route): PaletteCommand => ({
    id,
    group,
    label,
    run: () => navigate(route),
  });
  return [
    ...documents.map(({ id, title }) => place("Documents", id, title, { screen: "corpus", documentId: id })),
    ...reflections.map(({ id, question }) =>
      place("Reflections", id, question, { screen: "reflect", reflectionId: id }),
    ),
    ...(graph?.concepts ?? []).map(({ id, label }) =>
      place("Concepts", id, label, { screen: "graph", focus: { kind: "concept", id } }),
    ),
  ];
}
