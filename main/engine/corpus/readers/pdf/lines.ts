import { isLineBreak, isLineEndHyphen, isSoftHyphen, textOf, UNREADABLE } from "./characters.ts";
import type { RawPage } from "./raw-page.ts";

/** A run of characters that PDFium puts on one line; `to` is exclusive. Measures in points, y upwards. */
export type Line = {
  from: number;
  to: number;
  /** The hyphen that breaks its last word, null when it ends with a whole one. It is no part of `text`. */
  hyphenAt: number | null;
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** The height of its typical character. */
  size: number;
};

/** The lines of a page in PDFium's order, without empty ones, unreadable ones and the line numbers of a draft. */
export function linesOf(page: RawPage): Line[] {
  const lines: Line[] = [];
  let from = 0;
  for (let i = 0; i <= page.codes.length; i++) {
    const code = page.codes[i] ?? 10;
    if (isLineEndHyphen(code)) {
      pushLine(lines, page, from, i, i);
      from = i + 1;
    } else if (isLineBreak(code)) {
      const endsSoft = i > from && isSoftHyphen(page.codes[i - 1]!);
      pushLine(lines, page, from, endsSoft ? i - 1 : i, endsSoft ? i - 1 : null);
      from = i + 1;
    }
  }
  return withoutLineNumbers(lines, page);
}

function pushLine(lines: Line[], page: RawPage, from: number, to: number, hyphenAt: number | null): void {
  const line = measure(page, from, to, hyphenAt);
  const readable = line?.text.replaceAll(UNREADABLE, "").trim();
  if (line && readable) lines.push(line);
}

function measure(page: RawPage, from: number, to: number, hyphenAt: number | null): Line | undefined {
  let [first, last] = [from, to];
  while (first < last && isBlank(page.codes[first]!)) first++;
  while (last > first && isBlank(page.codes[last - 1]!)) last--;
  if (first === last) return undefined;
  const line = {
    from: first,
    to: last,
    hyphenAt,
    text: "",
    left: Infinity,
    right: -Infinity,
    top: -Infinity,
    bottom: Infinity,
  };
  const heights: number[] = [];
  for (let i = first; i < last; i++) {
    const text = textOf(page.codes[i]!);
    line.text += text;
    if (text.trim() === "") continue;
    const [left, top, right, bottom] = page.boxes.subarray(4 * i, 4 * i + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    heights.push(top - bottom);
    line.left = Math.min(line.left, left);
    line.right = Math.max(line.right, right);
    line.top = Math.max(line.top, top);
    line.bottom = Math.min(line.bottom, bottom);
  }
  return { ...line, size: median(heights) };
}

const MIN_NUMBERED_LINES = 8;
const ALIGNMENT_PT = 3;

/**
 * Drafts number their lines in the margin. The numbers count up by one, stand under each other, line by line: the
 * numbers of a reference list stand an entry apart.
 */
function withoutLineNumbers(lines: Line[], page: RawPage): Line[] {
  const numbered = lines.flatMap((line, at) => {
    const digits = /^\d{1,4}(?= |$)/.exec(line.text)?.[0];
    return digits
      ? [
          {
            at,
            line,
            number: Number(digits),
            length: digits.length,
            right: rightOf(page, line.from + digits.length - 1),
          },
        ]
      : [];
  });
  if (numbered.length < MIN_NUMBERED_LINES) return lines;
  const nSteps = numbered.filter((entry, i) => i > 0 && entry.number === numbered[i - 1]!.number + 1).length;
  const edge = median(numbered.map((entry) => entry.right));
  const inMargin = numbered.filter((entry) => Math.abs(entry.right - edge) < ALIGNMENT_PT);
  if (nSteps < 0.8 * (numbered.length - 1) || inMargin.length < 0.8 * numbered.length) return lines;
  const pitch = linePitch(lines);
  const step = linePitch(numbered.map((entry) => entry.line));
  if (pitch === null || step === null || step > 1.3 * pitch) return lines;
  const lengths = new Map(inMargin.map((entry) => [entry.at, entry.length]));
  return lines.flatMap((line, at) => measure(page, line.from + (lengths.get(at) ?? 0), line.to, line.hyphenAt) ?? []);
}

/** The usual distance between two lines, top to top; null where no line stands under another. */
export function linePitch(lines: readonly Line[]): number | null {
  const steps = lines.flatMap((line, i) => {
    const next = lines[i + 1];
    const step = next ? line.top - next.top : 0;
    return step > 0.6 * line.size && step < 3 * line.size ? [step] : [];
  });
  return steps.length > 0 ? median(steps) : null;
}

export function leftOf(page: RawPage, index: number): number {
  return page.boxes[4 * index]!;
}

export function rightOf(page: RawPage, index: number): number {
  return page.boxes[4 * index + 2]!;
}

function isBlank(code: number): boolean {
  return textOf(code).trim() === "" || isLineBreak(code);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
