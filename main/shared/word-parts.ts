import { diffWordsWithSpace } from "diff";

/** A run of words of a changed sentence: in both versions, or in one of them only. */
export type WordPart = { text: string; kind: "same" | "removed" | "added" };

/** Two versions of one sentence, word by word; without "added" the parts give the first, without "removed" the second. */
export function wordParts(before: string, after: string): WordPart[] {
  const parts = diffWordsWithSpace(before, after).map(({ value, added, removed }): WordPart => ({
    text: value,
    kind: added ? "added" : removed ? "removed" : "same",
  }));
  return joinChanges(parts);
}

/**
 * A space between two changes belongs to them ("a threshold" → "about 5 wt%" is one change, not three), and a space
 * that both versions have after a change does not.
 */
function joinChanges(parts: readonly WordPart[]): WordPart[] {
  const joined: WordPart[] = [];
  let removed = "";
  let added = "";
  const flush = (): string => {
    const space = removed.endsWith(" ") && added.endsWith(" ") ? " " : "";
    if (removed) joined.push({ text: removed.slice(0, removed.length - space.length), kind: "removed" });
    if (added) joined.push({ text: added.slice(0, added.length - space.length), kind: "added" });
    removed = "";
    added = "";
    return space;
  };
  parts.forEach((part, i) => {
    const isGap = part.kind === "same" && part.text.trim() === "" && (removed || added) && i + 1 < parts.length;
    if (part.kind === "same" && !isGap) joined.push({ text: flush() + part.text, kind: "same" });
    if (part.kind === "removed" || isGap) removed += part.text;
    if (part.kind === "added" || isGap) added += part.text;
  });
  const space = flush();
  if (space) joined.push({ text: space, kind: "same" });
  return joined.filter(({ text }) => text !== "");
}
