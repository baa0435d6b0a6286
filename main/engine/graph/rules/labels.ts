/** Symbols of the elements: a token made of them, with a digit or of at least two kinds, is a formula. */
const ELEMENTS = new Set(
  "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi".split(
    " ",
  ),
);

/** "LiFePO4", "Mg2Si", "Fe(CN)6", "AlMgSi": element symbols with counts and brackets. */
export function isFormula(token: string): boolean {
  if (!/^[\p{Lu}\d()[\].]*\p{Lu}[\p{L}\d()[\].]*$/u.test(token) || !/[\d]|\p{Lu}\p{Ll}?\p{Lu}/u.test(token))
    return false;
  const rest = token.replaceAll(/[\d()[\].]/g, "");
  const symbols = rest.match(/\p{Lu}\p{Ll}?/gu) ?? [];
  // all capitals without a number reads as an acronym: "SEM", "COF"
  if (!/\d/.test(token) && !/\p{Ll}/u.test(token)) return false;
  return symbols.join("") === rest && symbols.every((symbol) => ELEMENTS.has(symbol)) && new Set(symbols).size > 1;
}

/** "XRD", "dsRNA", "BT0": capitals that are no ordinary word. */
export function isAcronym(token: string): boolean {
  return /^\p{Ll}{0,2}\p{Lu}{2,}\d*s?$/u.test(token) && token.length <= 8;
}

/** "C. elegans", "Caenorhabditis elegans": a genus, whole or cut short, and a species. */
export const SPECIES =
  /\p{Lu}(?:\.|\p{Ll}{4,}(?:us|is|um|la|ia|as|er|ma|ra|na|es|ces|a)) \p{Ll}{4,}(?:us|is|ans|um|ae|ii|osa|ensis|oli|a|ens)\b/gu;

/** One name for one thing: singular, as it would stand in the middle of a sentence. */
export function labelOf(term: string, startsSentence: boolean): string {
  const tokens = term.normalize("NFKC").replaceAll(/\s+/g, " ").trim().split(" ");
  const first = tokens[0] ?? "";
  if (startsSentence && /^\p{Lu}\p{Ll}+(?:-\p{Ll}+)*$/u.test(first)) tokens[0] = first.toLowerCase();
  tokens.push(singular(tokens.pop() ?? ""));
  return tokens.join(" ");
}

/** What labels of the same concept have in common: lower case, hyphens as spaces. */
export function keyOf(label: string): string {
  return label
    .toLowerCase()
    .replaceAll(/[-–‐]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

export function singular(word: string): string {
  if (isFormula(word) || word.length < 4 || INVARIABLE.has(word.toLowerCase())) return word;
  if (/^\p{Lu}{2,}s$/u.test(word) || /\p{Lu}s$/u.test(word)) return word.slice(0, -1);
  if (/(?:analyses|syntheses|hypotheses|electrolyses|bases|axes)$/.test(word)) return `${word.slice(0, -2)}is`;
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(?:ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  if (/(?:ss|us|is|ous|ics)$/.test(word) || !word.endsWith("s")) return word;
  return word.slice(0, -1);
}

const INVARIABLE = new Set("series species elegans bias lens gas plus mass".split(" "));
