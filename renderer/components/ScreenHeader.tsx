import type { ReactNode } from "react";
import classes from "./ScreenHeader.module.css";

export type ScreenHeaderProps = { title: string; summary?: ReactNode; children?: ReactNode };

export function ScreenHeader({ title, summary, children }: ScreenHeaderProps) {
  return (
    <header className={classes.header}>
      <h1 className={classes.title}>{title}</h1>
      {summary && <div className={`${classes.summary} dim num clip`}>{summary}</div>}
      <div className={classes.actions}>{children}</div>
    </header>
  );
}
