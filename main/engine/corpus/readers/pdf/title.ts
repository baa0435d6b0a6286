import { type Line, median } from "./lines.ts";

const MIN_TITLE_LETTERS = 12;
const MAX_TITLE_CHARS = 300;
/** What programs write into the title when nobody has given one. */
const NO_TITLE =
  /^(?:untitled|microsoft word|powerpoint|slide \d|doi:|https?:|layout \d|template)|\.(?:docx?|pdf|tex|dvi|indd|qxd|eps|rtf)$|^\S*$/i;

/** The metadata's title when it reads like one, else the largest text of the first page, else null. */
export function findTitle(metadataTitle: string, firstPage: readonly Line[]): string | null {
  const stated = tidy(metadataTitle);
  return isTitle(stated) ? stated : largestText(firstPage);
}

/** Neighbouring lines of one size count as one text, so that a heading over three lines is whole. */
function largestText(lines: readonly Line[]): string | null {
  const bodySize = median(lines.map((line) => line.size));
  const groups: Line[][] = [];
  for (const line of lines) {
    const group = groups.at(-1);
    const isSameSize = group && Math.abs(group[0]!.size - line.size) < 0.05 * line.size;
    if (isSameSize) group.push(line);
    else groups.push([line]);
  }
  const candidates = groups
    .filter((group) => group[0]!.size > 1.1 * bodySize && isTitle(textOf(group)))
    .toSorted((a, b) => b[0]!.size - a[0]!.size);
  return candidates[0] ? textOf(candidates[0]) : null;
}

function textOf(group: readonly Line[]): string {
  return tidy(group.map((line) => line.text + (line.hyphenAt === null ? " " : "-")).join(""));
}

function isTitle(text: string): boolean {
  const nLetters = text.match(/\p{L}/gu)?.length ?? 0;
  return nLetters >= MIN_TITLE_LETTERS && text.length <= MAX_TITLE_CHARS && !NO_TITLE.test(text);
}

function tidy(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim();
}
