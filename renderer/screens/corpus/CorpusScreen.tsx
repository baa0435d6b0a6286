import { SegmentedControl, Splitter } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect } from "react";
import type { DocumentRow } from "../../../main/shared/contract/corpus.ts";
import { Loaded } from "../../components/Loaded.tsx";
import { ScreenHeader } from "../../components/ScreenHeader.tsx";
import { SearchField } from "../../components/SearchField.tsx";
import { useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import type { Route } from "../../lib/routes.ts";
import { navigate, useRoute } from "../../lib/use-route.ts";
import classes from "./Corpus.module.css";
import { useCorpusView } from "./corpus-view.ts";
import { DocumentPanel } from "./DocumentPanel.tsx";
import { DocumentTable } from "./DocumentTable.tsx";
import { FirstSteps } from "./FirstSteps.tsx";
import { ImportButton } from "./ImportButton.tsx";
import { ImportNotices } from "./ImportNotices.tsx";
import { SearchResults } from "./SearchResults.tsx";

const TYPING_PAUSE_MS = 200;

export default function CorpusScreen() {
  const documents = useEngineQuery("corpus.listDocuments", {});
  const { query } = useCorpusView();
  const [settledQuery] = useDebouncedValue(query.trim(), TYPING_PAUSE_MS);
  const isEmpty = documents.data?.length === 0;
  return (
    <>
      <ScreenHeader title="Corpus" summary={documents.data && !isEmpty && <Summary rows={documents.data} />}>
        {!isEmpty && <SearchBar isBusy={query.trim() !== settledQuery} />}
        <ImportButton />
      </ScreenHeader>
      <ImportNotices />
      <Loaded query={documents} what="The documents" nRows={12}>
        {(rows) => (rows.length === 0 ? <FirstSteps /> : <Panes rows={rows} query={settledQuery} />)}
      </Loaded>
    </>
  );
}

function Panes({ rows, query }: { rows: DocumentRow[]; query: string }) {
  const route = useRoute();
  const { panelShare } = useCorpusView();
  const openId = route.screen === "corpus" ? route.documentId : undefined;
  useEscape(openId !== undefined);
  const list = query ? <SearchResults query={query} /> : <DocumentTable rows={rows} openId={openId} />;
  if (route.screen !== "corpus" || !openId) return <div className={classes.pane}>{list}</div>;
  return (
    <Splitter
      className={classes.panes}
      lineSize={1}
      withHandle={false}
      sizes={[100 - panelShare, panelShare]}
      onSizeChange={([, share]) => useCorpusView.setState({ panelShare: Number.parseFloat(String(share)) })}
    >
      <Splitter.Pane defaultSize={44} min={24}>
        <div className={classes.pane}>{list}</div>
      </Splitter.Pane>
      <Splitter.Pane defaultSize={56} min={36}>
        <DocumentPanel key={openId} route={route as Extract<Route, { screen: "corpus" }> & { documentId: string }} />
      </Splitter.Pane>
    </Splitter>
  );
}

function SearchBar({ isBusy }: { isBusy: boolean }) {
  const { query, mode } = useCorpusView();
  return (
    <>
      <SearchField
        className={classes.search ?? ""}
        label="Search the text of all documents"
        value={query}
        isBusy={isBusy}
        onChange={(text) => useCorpusView.setState({ query: text })}
      />
      <SegmentedControl
        aria-label="Search by"
        value={mode}
        onChange={(value) => useCorpusView.setState({ mode: value })}
        data={[
          { value: "hybrid", label: "Both" },
          { value: "vector", label: "Meaning" },
          { value: "text", label: "Words" },
        ]}
      />
    </>
  );
}

function Summary({ rows }: { rows: DocumentRow[] }) {
  const nPages = rows.reduce((sum, row) => sum + row.nPages, 0);
  const nChunks = rows.reduce((sum, row) => sum + row.nChunks, 0);
  const facts = [
    plural(rows.length, "document"),
    nPages > 0 && plural(nPages, "page"),
    nChunks > 0 && plural(nChunks, "chunk"),
  ];
  return <>{facts.filter(Boolean).join(" · ")}</>;
}

/** Esc closes the document; a menu, a dialog or a field that is open takes it first. */
function useEscape(isOpen: boolean): void {
  useEffect(() => {
    if (!isOpen) return;
    const onKeyDown = (event: KeyboardEvent) => {
      const isTaken =
        event.defaultPrevented || document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]') !== null;
      if (event.key === "Escape" && !isTaken) navigate({ screen: "corpus" });
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [isOpen]);
}
