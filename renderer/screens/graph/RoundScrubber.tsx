import { Slider } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { IconButton } from "../../components/IconButton.tsx";
import { plural } from "../../lib/format.ts";
import classes from "./Graph.module.css";
import type { GraphData } from "./GraphScreen.tsx";

const STEP_MS = 900;

export type RoundScrubberProps = { data: GraphData; lastRound: number; round: number; onRound(round: number): void };

/** How the graph grew while pairs were made, round by round. */
export function RoundScrubber({ data, lastRound, round, onRound }: RoundScrubberProps) {
  const [isPlaying, setIsPlaying] = useState(false);
  useEffect(() => {
    if (!isPlaying) return;
    if (round >= lastRound) {
      setIsPlaying(false);
      return;
    }
    const timer = window.setTimeout(() => onRound(round + 1), STEP_MS);
    return () => window.clearTimeout(timer);
  }, [isPlaying, round, lastRound, onRound]);
  const nConcepts = data.concepts.filter(({ firstRound }) => firstRound <= round).length;
  return (
    <div className={classes.scrubber}>
      <IconButton
        label={isPlaying ? "Pause" : "Play the growth"}
        onClick={() => {
          if (!isPlaying && round >= lastRound) onRound(0);
          setIsPlaying(!isPlaying);
        }}
      >
        {isPlaying ? <IconPlayerPause size={16} /> : <IconPlayerPlay size={16} />}
      </IconButton>
      <Slider
        className={classes.slider ?? ""}
        thumbLabel="Round"
        size="sm"
        min={0}
        max={lastRound}
        step={1}
        value={round}
        label={(value) => `Round ${value}`}
        onChange={onRound}
      />
      <span className={`${classes.roundText} num`}>
        Round {round} of {lastRound} · {plural(nConcepts, "concept")}
      </span>
    </div>
  );
}
