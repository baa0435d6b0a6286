/** Markup that is safe to write out; made only by `html` below. */
export type Html = { readonly markup: string };
type Value = Html | readonly Html[] | string | number | null | undefined;

/** A template whose values are escaped: texts of papers and models stay text. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const parts = strings.map((text, i) => (i === 0 ? text : markupOf(values[i - 1]) + text));
  return { markup: parts.join("") };
}

function markupOf(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  if ("markup" in value) return value.markup;
  return value.map((item) => item.markup).join("");
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
