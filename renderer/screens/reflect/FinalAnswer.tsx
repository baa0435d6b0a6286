import { Spoiler } from "@mantine/core";
import classes from "./Reflect.module.css";
import type { Reflection } from "./ReflectionView.tsx";

const FOLDED_PX = 138;

export function FinalAnswer({ reflection }: { reflection: Reflection }) {
  const text = reflection.integrated ?? reflection.final;
  if (!text) return null;
  return (
    <section className={classes.final} aria-label="Final answer">
      <h3 className={classes.partTitle}>{reflection.integrated ? "Integrated answer" : "Final answer"}</h3>
      <Spoiler maxHeight={FOLDED_PX} showLabel="Show all" hideLabel="Show less" transitionDuration={100}>
        <div className={classes.reading}>{text}</div>
      </Spoiler>
    </section>
  );
}
