import { SegmentedControl, Select, Switch } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { useMemo } from "react";
import { changesInWords, countChanges } from "../../../main/shared/change-counts.ts";
import type { Iteration } from "../../../main/shared/contract/reflection.ts";
import { type DiffRow, diffRows } from "../../lib/diff-rows.ts";
import { nameOfIteration, partOf } from "../../lib/iteration-text.ts";
import type { Comparison, ReflectionPart } from "../../lib/routes.ts";
import classes from "./DiffPanel.module.css";
import { InlineDiff } from "./InlineDiff.tsx";
import { useReflectView } from "./reflect-view.ts";
import type { Reflection } from "./ReflectionView.tsx";
import { SideBySideDiff } from "./SideBySideDiff.tsx";

export type DiffPanelProps = { reflection: Reflection; shown: Comparison; onShow(next: Comparison): void };

export function DiffPanel({ reflection, shown, onShow }: DiffPanelProps) {
  const { isInline, isFolding } = useReflectView();
  const { iterations } = reflection;
  const before = iterations[shown.before];
  const after = iterations[shown.after];
  const rows = useMemo(
    () => (before && after ? diffRows(partOf(before, shown.part), partOf(after, shown.part)) : []),
    [before, after, shown.part],
  );
  if (!before || !after) return null;
  // the points of a critique name sentences of the thinking that was written because of them
  const critique = shown.part === "thinking" && shown.before !== shown.after ? after.critique : [];
  return (
    <section className={classes.panel} aria-label="Comparison">
      <Toolbar iterations={iterations} shown={shown} rows={rows} onShow={onShow} />
      {rows.length === 0 ? (
        <div className={classes.nothing}>Neither iteration has any text here.</div>
      ) : isInline || shown.before === shown.after ? (
        <InlineDiff rows={rows} critique={critique} isFolding={isFolding && shown.before !== shown.after} />
      ) : (
        <SideBySideDiff
          key={`${shown.before}-${shown.after}-${shown.part}`}
          rows={rows}
          critique={critique}
          isFolding={isFolding}
          beforeTitle={nameOfIteration(shown.before)}
          afterTitle={nameOfIteration(shown.after)}
        />
      )}
    </section>
  );
}

type ToolbarProps = { iterations: Iteration[]; shown: Comparison; rows: DiffRow[]; onShow(next: Comparison): void };

function Toolbar({ iterations, shown, rows, onShow }: ToolbarProps) {
  const { isInline, isFolding } = useReflectView();
  const hasReflection = iterations.some(({ reflection }) => reflection !== "");
  const parts: { value: ReflectionPart; label: string }[] = [
    { value: "thinking", label: "Thinking" },
    ...(hasReflection ? [{ value: "reflection" as const, label: "Reflection" }] : []),
    { value: "answer", label: "Answer" },
  ];
  return (
    <div className={classes.toolbar}>
      <SegmentedControl
        aria-label="Part"
        value={shown.part}
        data={parts}
        onChange={(part) => onShow({ ...shown, part })}
      />
      <IterationSelect
        label="Before"
        value={shown.before}
        iterations={iterations}
        onChange={(before) => onShow({ ...shown, before })}
      />
      <IconArrowRight size={14} color="var(--dim)" aria-hidden />
      <IterationSelect
        label="After"
        value={shown.after}
        iterations={iterations}
        onChange={(after) => onShow({ ...shown, after })}
      />
      <span className="dim num">{changesInWords(countChanges(rows))}</span>
      <span className={classes.switches}>
        <Switch
          label="Fold unchanged"
          checked={isFolding}
          onChange={(event) => useReflectView.setState({ isFolding: event.currentTarget.checked })}
        />
        <Switch
          label="Inline"
          checked={isInline}
          onChange={(event) => useReflectView.setState({ isInline: event.currentTarget.checked })}
        />
      </span>
    </div>
  );
}

type IterationSelectProps = { label: string; value: number; iterations: Iteration[]; onChange(index: number): void };

function IterationSelect({ label, value, iterations, onChange }: IterationSelectProps) {
  return (
    <Select
      aria-label={label}
      w={124}
      allowDeselect={false}
      value={String(value)}
      data={iterations.map(({ index }) => ({ value: String(index), label: nameOfIteration(index) }))}
      onChange={(index) => onChange(Number(index))}
    />
  );
}
