import { Tooltip } from "@mantine/core";
import { IconSearchOff } from "@tabler/icons-react";
import type { SearchHit, SearchResult } from "../../../main/shared/contract/corpus.ts";
import { EmptyState } from "../../components/EmptyState.tsx";
import { Loaded } from "../../components/Loaded.tsx";
import { MarkedText } from "../../components/MarkedText.tsx";
import { useEngineQuery } from "../../engine/queries.ts";
import { formatDuration, plural } from "../../lib/format.ts";
import { formatRoute, hrefOf } from "../../lib/routes.ts";
import { groupHits, sentenceOfHit } from "../../lib/search-hits.ts";
import { useRoute } from "../../lib/use-route.ts";
import { useCorpusView } from "./corpus-view.ts";
import classes from "./SearchResults.module.css";

const MOST_HITS = 60;

export function SearchResults({ query }: { query: string }) {
  const { mode } = useCorpusView();
  const result = useEngineQuery("corpus.search", { query, mode, limit: MOST_HITS }, { keepPrevious: true });
  return (
    <Loaded query={result} what="The search">
      {(data) => <Hits result={data} query={query} />}
    </Loaded>
  );
}

function Hits({ result, query }: { result: SearchResult; query: string }) {
  const groups = groupHits(result.hits);
  if (groups.length === 0) {
    return (
      <EmptyState icon={<IconSearchOff size={36} stroke={1.3} />} title="Nothing found">
        No chunk of the corpus speaks of “{query}”. {result.warning}
      </EmptyState>
    );
  }
  return (
    <div className={classes.results} role="region" aria-label="Search results" tabIndex={0}>
      <div className={`${classes.summary} num`}>
        {plural(result.hits.length, "hit")} in {plural(groups.length, "document")} · {formatDuration(result.tookMs)}
        {result.warning && <span className={classes.warning}> · {result.warning}</span>}
      </div>
      {groups.map(({ documentId, title, hits }) => (
        <section key={documentId} className={classes.group}>
          <h2 className={classes.title}>
            <a href={hrefOf({ screen: "corpus", documentId })}>{title}</a>
          </h2>
          {hits.map((hit) => (
            <Hit key={hit.chunkId} hit={hit} query={query} />
          ))}
        </section>
      ))}
    </div>
  );
}

function Hit({ hit, query }: { hit: SearchHit; query: string }) {
  const route = useRoute();
  const { before, sentence, after, marks } = sentenceOfHit(hit.text, query);
  const span = { start: hit.start + sentence.start, end: hit.start + sentence.end };
  const place = { screen: "corpus", documentId: hit.documentId, page: hit.page, span } as const;
  const isOpen = formatRoute(route) === formatRoute(place);
  return (
    <a href={hrefOf(place)} className={classes.hit} data-hit {...(isOpen ? { "aria-current": "true" as const } : {})}>
      <span className={`${classes.page} num`}>p. {hit.page}</span>
      <span className={classes.text}>
        <span className="dim">{before}</span>
        <MarkedText text={sentence.text} ranges={marks} />
        <span className="dim">{after}</span>
      </span>
      <Tooltip label={`Place in the list by meaning and in the list by words; score ${hit.score.toFixed(4)} from both`}>
        <span className={`${classes.ranks} num`}>
          {hit.ranks.vector !== null && <span>meaning {hit.ranks.vector}</span>}
          {hit.ranks.text !== null && <span>words {hit.ranks.text}</span>}
        </span>
      </Tooltip>
    </a>
  );
}
