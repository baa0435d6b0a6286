/** A hyphen at the end of a line, whose fate (drop or keep) is decided when the words of the whole paper are known. */
export const LINE_END_HYPHEN = "\u0002";
/** Stands for a glyph whose meaning the PDF does not give. */
export const UNREADABLE = "\ufffd";

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;
const SOFT_HYPHEN = 0xad;

/** Latin ligatures, and the ones that some publishers' fonts keep in the private use area. */
const LIGATURES = new Map<number, string>([
  [0xfb00, "ff"],
  [0xfb01, "fi"],
  [0xfb02, "fl"],
  [0xfb03, "ffi"],
  [0xfb04, "ffl"],
  [0xfb05, "st"],
  [0xfb06, "st"],
  [0xe09d, "ft"],
  [0xe103, "fi"],
  [0xe104, "fl"],
]);

export function isLineBreak(code: number): boolean {
  return code === CARRIAGE_RETURN || code === LINE_FEED;
}

export function isLineEndHyphen(code: number): boolean {
  return code === 2;
}

const known = new Map<number, string>();

/** The text that a character stands for: "" for nothing, " " for any white space. A page has few different ones. */
export function textOf(code: number): string {
  let text = known.get(code);
  if (text === undefined) known.set(code, (text = decode(code)));
  return text;
}

function decode(code: number): string {
  const ligature = LIGATURES.get(code);
  if (ligature !== undefined) return ligature;
  if (code === 9 || code === 0x20 || code === 0xa0) return " ";
  // a soft hyphen that does not end its line was drawn as a visible dash or minus
  if (code === SOFT_HYPHEN) return "-";
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return UNREADABLE;
  if (isPrivateUse(code) || code === 0xffff || code === 0xfffe || code > 0x10ffff) return UNREADABLE;
  const text = String.fromCodePoint(code);
  if (/^[\u200b-\u200d\u2060\ufeff]$/.test(text)) return "";
  return /^\s$/u.test(text) ? " " : text;
}

export function isSoftHyphen(code: number): boolean {
  return code === SOFT_HYPHEN;
}

function isPrivateUse(code: number): boolean {
  return (code >= 0xe000 && code <= 0xf8ff) || code >= 0xf0000;
}
