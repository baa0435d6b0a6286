import { Tooltip } from "@mantine/core";
import classes from "./Metric.module.css";

export type MetricProps = {
  label: string;
  value: string;
  /** One line of definition and what a healthy value looks like. */
  definition: string;
  isWarning?: boolean;
};

export function Metric({ label, value, definition, isWarning = false }: MetricProps) {
  return (
    <Tooltip label={definition}>
      <span className={classes.metric}>
        <span className="dim">{label}</span> <span className={`num ${isWarning ? classes.warning : ""}`}>{value}</span>
      </span>
    </Tooltip>
  );
}
