import { Loader } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { LiveIteration, LivePart } from "../../engine/live-text.ts";
import { nameOfIteration } from "../../lib/iteration-text.ts";
import classes from "./LivePanel.module.css";
import type { Reflection } from "./ReflectionView.tsx";

const PARTS: Record<LivePart, { title: string; tone: string }> = {
  thinking: { title: "Thinking", tone: "thinking" },
  critique: { title: "Critique", tone: "reflection" },
  improvedThinking: { title: "Improved thinking", tone: "thinking" },
  answer: { title: "Answer", tone: "answer" },
  integrated: { title: "Integrated answer", tone: "answer" },
};

/** How close to the end (in pixels) the reader must be for new text to be followed. */
const FOLLOW_PX = 120;

export function LivePanel({ reflection, live }: { reflection: Reflection; live: LiveIteration | undefined }) {
  const end = useRef<HTMLDivElement>(null);
  // what is kept from an iteration that has finished since is shown by the records, not here
  const current = live && live.index >= reflection.iterations.length ? live : undefined;
  const length = [...(current?.parts.values() ?? [])].reduce((sum, text) => sum + text.length, 0);
  useEffect(() => {
    const bottom = end.current?.getBoundingClientRect().bottom ?? 0;
    if (bottom < window.innerHeight + FOLLOW_PX) end.current?.scrollIntoView({ block: "nearest" });
  }, [length]);
  return (
    <section className={classes.live} aria-label="Being written">
      {!current && (
        <div className={classes.waiting}>
          <Loader size={14} aria-hidden /> {nameOfIteration(reflection.iterations.length)}: loading the model and
          reading the prompt…
        </div>
      )}
      {[...(current?.parts ?? [])].map(([part, text], i, all) => (
        <div key={part} className={classes.part} data-tone={PARTS[part].tone}>
          <h3>{PARTS[part].title}</h3>
          <div className={classes.text}>
            {text}
            {i === all.length - 1 && <span className={classes.cursor} aria-hidden />}
          </div>
        </div>
      ))}
      <div ref={end} />
    </section>
  );
}
