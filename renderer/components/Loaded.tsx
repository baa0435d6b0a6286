import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNotice } from "./ErrorNotice.tsx";

/** The part of a query's state that matters for drawing it. */
export type Loadable<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch(): unknown };

export type LoadedProps<T> = {
  query: Loadable<T>;
  /** Completes "… could not be loaded": "The documents". */
  what: string;
  nRows?: number;
  children(data: T): ReactNode;
};

/** Draws the two states that come before data: loading and failed. Stale data stay on screen while they are renewed. */
export function Loaded<T>({ query, what, nRows = 6, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) {
    return (
      <div style={{ padding: 16 }}>
        <ErrorNotice what={`${what} could not be loaded`} error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  return <LoadingRows what={what} nRows={nRows} />;
}

export function LoadingRows({ what, nRows }: { what: string; nRows: number }) {
  return (
    <div style={{ padding: 16, display: "grid", gap: 12 }} role="status" aria-label={`${what}: loading`}>
      {Array.from({ length: nRows }, (_, i) => (
        <Skeleton key={i} height={14} width={`${92 - ((i * 17) % 40)}%`} />
      ))}
    </div>
  );
}
