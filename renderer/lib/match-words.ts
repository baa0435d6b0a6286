/**
 * How well a label fits what was typed: every typed word must begin a word of the label (or stand inside one, for less).
 * Zero means that it does not fit.
 */
export function matchWords(label: string, typed: string): number {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return 1;
  const text = label.toLowerCase();
  let score = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at < 0) return 0;
    if (text.startsWith(word)) score += 4;
    else if (beginsAWord(text, word)) score += 3;
    else score += 1;
  }
  return score / words.length + 1 / (1 + text.length);
}

function beginsAWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!)) return true;
  }
  return false;
}
