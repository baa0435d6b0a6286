export type Range = { start: number; end: number };

/** Text with some of its ranges marked. Ranges are in order and do not overlap. */
export function MarkedText({ text, ranges }: { text: string; ranges: readonly Range[] }) {
  let at = 0;
  const parts = ranges.flatMap(({ start, end }) => {
    const before = text.slice(at, start);
    at = end;
    return [before, <mark key={start}>{text.slice(start, end)}</mark>];
  });
  return (
    <>
      {parts}
      {text.slice(at)}
    </>
  );
}
