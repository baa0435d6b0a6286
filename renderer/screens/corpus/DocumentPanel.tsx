import { IconAlertCircle, IconFileOff, IconLayersSubtract, IconTextCaption, IconX } from "@tabler/icons-react";
import { lazy, Suspense, useCallback } from "react";
import { Tooltip } from "@mantine/core";
import type { DocumentId } from "../../../main/shared/ids.ts";
import type { Rect } from "../../../main/shared/contract/corpus.ts";
import { IconButton } from "../../components/IconButton.tsx";
import { Loaded, LoadingRows } from "../../components/Loaded.tsx";
import { useEngineQuery, type OutputOf } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import type { Route } from "../../lib/routes.ts";
import { navigate } from "../../lib/use-route.ts";
import { ChunkBands } from "./ChunkBands.tsx";
import { useCorpusView } from "./corpus-view.ts";
import classes from "./DocumentPanel.module.css";
import { DocumentState } from "./DocumentState.tsx";
import { PageTextPane } from "./PageTextPane.tsx";

// PDFium's glue and the page view are a third of the program's script: not before a paper is opened
const PdfView = lazy(() => import("../../components/pdf/PdfView.tsx"));

export type DocumentRoute = Extract<Route, { screen: "corpus" }> & { documentId: string };
type DocumentWithPages = OutputOf<"corpus.getDocument">;

const BYTES_KEPT_MS = 60_000;

export function DocumentPanel({ route }: { route: DocumentRoute }) {
  const documentId = route.documentId as DocumentId; // parsed again by the engine
  const document = useEngineQuery("corpus.getDocument", { documentId });
  return (
    <section className={classes.panel} aria-label="Document">
      <Loaded query={document} what="The document">
        {(data) => (
          <>
            <PanelHeader document={data} />
            <Pages document={data} route={route} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function PanelHeader({ document }: { document: DocumentWithPages }) {
  const { areChunksShown, isTextShown } = useCorpusView();
  return (
    <header className={classes.header}>
      <div className={classes.titles}>
        <h2 className="clip">{document.title}</h2>
        <div className="dim small clip">
          {[plural(document.nPages, "page"), plural(document.nChunks, "chunk"), document.fileName].join(" · ")}
        </div>
      </div>
      {document.status !== "ready" && <DocumentState row={document} />}
      <IconButton
        label="Show the chunks on the page"
        isActive={areChunksShown}
        onClick={() => useCorpusView.setState({ areChunksShown: !areChunksShown })}
      >
        <IconLayersSubtract size={17} stroke={1.6} />
      </IconButton>
      <IconButton
        label="Show the text as it was read"
        isActive={isTextShown}
        onClick={() => useCorpusView.setState({ isTextShown: !isTextShown })}
      >
        <IconTextCaption size={17} stroke={1.6} />
      </IconButton>
      <IconButton label="Close" shortcut="Esc" onClick={() => navigate({ screen: "corpus" })}>
        <IconX size={17} stroke={1.6} />
      </IconButton>
    </header>
  );
}

function Pages({ document, route }: { document: DocumentWithPages; route: DocumentRoute }) {
  const { areChunksShown, isTextShown } = useCorpusView();
  const bytes = useEngineQuery("corpus.getPdf", { documentId: document.id }, { keepUnusedMs: BYTES_KEPT_MS });
  const page = route.page ?? 1;
  const passage = usePassage(document.id, route);
  const onPageChange = useCallback(
    (newPage: number) => {
      // a marked passage keeps its address while one looks around it
      if (!route.span) navigate({ screen: "corpus", documentId: document.id, page: newPage }, { replace: true });
    },
    [document.id, route.span],
  );
  const qualityOf = (pageNumber: number) =>
    document.pages.find((summary) => summary.page === pageNumber)?.quality ?? "good";
  return (
    <div className={classes.body}>
      {passage.isMissing && (
        <div className={classes.notice} role="status">
          The passage could not be found on the page; the page is shown without a mark.
        </div>
      )}
      <Loaded query={bytes} what="The pages" nRows={10}>
        {(data) => (
          <Suspense fallback={<LoadingRows what="The pages" nRows={10} />}>
            <PdfView
              title={document.title}
              bytes={data}
              target={{ page, rects: passage.rects }}
              onPageChange={onPageChange}
              renderPageMark={(pageNumber) => <QualityMark quality={qualityOf(pageNumber)} />}
              renderOverlay={(pageNumber, scale) =>
                areChunksShown && <ChunkBands documentId={document.id} page={pageNumber} scale={scale} active={route} />
              }
            />
          </Suspense>
        )}
      </Loaded>
      {isTextShown && <PageTextPane documentId={document.id} page={page} span={route.span} />}
    </div>
  );
}

const NOWHERE: Rect[] = [];

/** The rectangles of the span in the address; missing when the engine finds no place for it. */
function usePassage(documentId: DocumentId, { page, span }: DocumentRoute): { rects: Rect[]; isMissing: boolean } {
  const isAsked = page !== undefined && span !== undefined && span.end > span.start;
  const located = useEngineQuery(
    "corpus.locate",
    { documentId, page: page ?? 1, start: span?.start ?? 0, end: span?.end ?? 1 },
    { enabled: isAsked },
  );
  if (!isAsked) return { rects: NOWHERE, isMissing: false };
  const rects = located.data?.rects ?? NOWHERE;
  return { rects, isMissing: located.isError || (located.data !== undefined && rects.length === 0) };
}

function QualityMark({ quality }: { quality: "good" | "poor" | "none" }) {
  if (quality === "good") return null;
  const label = quality === "none" ? "This page has no text" : "Most of this page's text cannot be read";
  const Icon = quality === "none" ? IconFileOff : IconAlertCircle;
  return (
    <Tooltip label={label}>
      <Icon size={13} color="var(--reflection)" role="img" aria-label={label} />
    </Tooltip>
  );
}
