import { Tooltip } from "@mantine/core";
import { formatExactTime, formatRelative } from "../lib/format.ts";
import { useNow } from "../lib/use-now.ts";

export function RelativeTime({ at }: { at: number }) {
  const now = useNow(30_000);
  return (
    <Tooltip label={formatExactTime(at)}>
      <time dateTime={new Date(at).toISOString()}>{formatRelative(at, now)}</time>
    </Tooltip>
  );
}
