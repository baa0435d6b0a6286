import { LINE_END_HYPHEN, textOf } from "./characters.ts";
import { chooseHyphen, type HyphenChoice, type Vocabulary } from "./hyphens.ts";
import type { Line } from "./lines.ts";
import { type Separator, separatorsOf } from "./paragraphs.ts";
import type { RawPage } from "./raw-page.ts";

/**
 * A page's text with the way back to the page: `charIndex[i]` is PDFium's character for UTF-16 unit i of the text,
 * or -1 where the text has a space or a line break that no character stands for.
 */
export type MappedText = { text: string; charIndex: Int32Array };

/** The text of the lines, a space for a line break and "\n" for a paragraph; broken words still carry LINE_END_HYPHEN. */
export function layOutText(page: RawPage, lines: readonly Line[]): MappedText {
  const separators = separatorsOf(lines, page);
  const out = createBuilder();
  lines.forEach((line, at) => {
    for (let i = line.from; i < line.to; i++) out.add(textOf(page.codes[i]!), i);
    out.add(endOf(line, separators[at]!, lines[at + 1]), line.hyphenAt ?? -1);
  });
  return out.done();
}

function endOf(line: Line, separator: Separator, next: Line | undefined): string {
  if (line.hyphenAt === null) return separator;
  return next && separator !== "\n" ? LINE_END_HYPHEN : `-${separator}`;
}

/** Given the words around a broken place and its offset in the new text, tells what becomes of the hyphen. */
export type HyphenRule = (before: string, after: string, offset: number) => HyphenChoice;

export function hyphensByVocabulary(vocabulary: Vocabulary): HyphenRule {
  return (before, after) => chooseHyphen(vocabulary, before, after);
}

/** Repeats what was chosen when the text was first made. */
export function hyphensAsIn(text: string): HyphenRule {
  return (_before, _after, offset) => (text[offset] !== "-" ? "" : text[offset + 1] === " " ? "- " : "-");
}

export function joinBrokenWords(laidOut: MappedText, rule: HyphenRule): MappedText {
  const out = createBuilder();
  const { text, charIndex } = laidOut;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== LINE_END_HYPHEN) {
      out.add(text[i]!, charIndex[i]!);
      continue;
    }
    const before = /[\p{L}\p{N}]+(?:[-‐][\p{L}\p{N}]+)*$/u.exec(text.slice(Math.max(0, i - 80), i))?.[0] ?? "";
    const after = /^[\p{L}\p{N}]+(?:[-‐][\p{L}\p{N}]+)*/u.exec(text.slice(i + 1, i + 81))?.[0] ?? "";
    out.add(rule(before, after, out.length()), charIndex[i]!);
  }
  return out.done();
}

/** Collapses white space as it goes: no space twice, none beside a line break, none at either end. */
function createBuilder() {
  const units: string[] = [];
  const charIndex: number[] = [];
  return {
    length: () => units.length,
    add(piece: string, index: number): void {
      for (let i = 0; i < piece.length; i++) {
        const unit = piece[i]!;
        const last = units.at(-1) ?? "\n";
        if (unit === " " && (last === " " || last === "\n")) continue;
        if (unit === "\n" && last === "\n") continue;
        if (unit === "\n" && last === " ") drop();
        units.push(unit);
        charIndex.push(index);
      }
    },
    done(): MappedText {
      while (/^\s$/.test(units.at(-1) ?? "")) drop();
      return { text: units.join(""), charIndex: Int32Array.from(charIndex) };
    },
  };

  function drop(): void {
    units.pop();
    charIndex.pop();
  }
}
