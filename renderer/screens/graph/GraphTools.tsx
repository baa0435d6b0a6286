import { Select } from "@mantine/core";
import { IconRoute, IconSearch } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { IconButton } from "../../components/IconButton.tsx";
import { matchWords } from "../../lib/match-words.ts";
import type { GraphFocus } from "../../lib/routes.ts";
import { navigate } from "../../lib/use-route.ts";
import classes from "./Graph.module.css";
import type { GraphData } from "./GraphScreen.tsx";

const MOST_SHOWN = 60;

export function GraphTools({ data, focus }: { data: GraphData; focus: GraphFocus | undefined }) {
  const [isPath, setIsPath] = useState(focus?.kind === "path");
  const [from, setFrom] = useState<string | null>(focus?.kind === "path" ? focus.fromId : null);
  const [to, setTo] = useState<string | null>(focus?.kind === "path" ? focus.toId : null);

  // a concept that is chosen while a path is being laid is its beginning, if that is still open
  const conceptId = focus?.kind === "concept" ? focus.id : null;
  useEffect(() => {
    if (isPath && !from && conceptId) setFrom(conceptId);
  }, [isPath, from, conceptId]);

  const go = (nextFrom: string | null, nextTo: string | null) => {
    setFrom(nextFrom);
    setTo(nextTo);
    if (nextFrom && nextTo && nextFrom !== nextTo)
      navigate({ screen: "graph", focus: { kind: "path", fromId: nextFrom, toId: nextTo } });
  };
  return (
    <>
      {isPath ? (
        <div className={classes.path}>
          <ConceptSelect data={data} label="From" value={from} onChange={(id) => go(id, to)} />
          <ConceptSelect data={data} label="To" value={to} onChange={(id) => go(from, id)} />
        </div>
      ) : (
        <ConceptSelect
          data={data}
          label="Find a concept"
          value={conceptId}
          isSearch
          onChange={(id) => navigate(id ? { screen: "graph", focus: { kind: "concept", id } } : { screen: "graph" })}
        />
      )}
      <IconButton
        label="Path between two concepts"
        isActive={isPath}
        onClick={() => {
          if (isPath && focus?.kind === "path") navigate({ screen: "graph" });
          setIsPath(!isPath);
        }}
      >
        <IconRoute size={18} stroke={1.6} />
      </IconButton>
    </>
  );
}

type ConceptSelectProps = {
  data: GraphData;
  label: string;
  value: string | null;
  isSearch?: boolean;
  onChange(id: string | null): void;
};

function ConceptSelect({ data, label, value, isSearch = false, onChange }: ConceptSelectProps) {
  return (
    <Select
      aria-label={label}
      placeholder={label}
      searchable
      clearable
      w={isSearch ? 260 : 190}
      limit={MOST_SHOWN}
      nothingFoundMessage="No concept is called that"
      leftSection={isSearch ? <IconSearch size={15} aria-hidden /> : undefined}
      {...(isSearch ? { "data-focus-search": true } : {})}
      value={value}
      data={data.concepts.map((concept) => ({ value: concept.id as string, label: concept.label }))}
      filter={({ options, search }) =>
        options
          .map((option) => ({ option, score: "label" in option ? matchWords(option.label, search) : 0 }))
          .filter(({ score }) => score > 0)
          .toSorted((a, b) => b.score - a.score)
          .map(({ option }) => option)
      }
      onChange={onChange}
    />
  );
}
