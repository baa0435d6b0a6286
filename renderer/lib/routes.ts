/**
 * Every place of the window that can be gone back to. The text form stands in the address after `#`. They stand below the
 * screens, because any of them may lead to any other: a new screen adds its line to PLACES.
 */
type Places<Place> = {
  /** What stands behind the screen's name. */
  segments(place: Place): string[];
  /** Anything that was typed by hand gives some place of the screen. */
  parse(segments: string[]): Place;
};

export type CorpusPlace = { documentId?: string; page?: number; span?: { start: number; end: number } };
export type GraphFocus =
  | { kind: "concept"; id: string }
  | { kind: "relation"; id: string }
  | { kind: "path"; fromId: string; toId: string };
export type Comparison = { before: number; after: number; part: ReflectionPart };
export type ReflectionPart = "thinking" | "reflection" | "answer";

const corpus: Places<CorpusPlace> = {
  segments({ documentId, page, span }) {
    if (!documentId) return [];
    if (page === undefined) return [documentId];
    return span ? [documentId, String(page), `${span.start}-${span.end}`] : [documentId, String(page)];
  },
  parse([documentId, page, span]) {
    if (!documentId) return {};
    const pageNumber = Number(page);
    if (!Number.isInteger(pageNumber) || pageNumber < 1) return { documentId };
    const range = parseRange(span);
    return { documentId, page: pageNumber, ...(range ? { span: { start: range[0], end: range[1] } } : {}) };
  },
};

const graph: Places<{ focus?: GraphFocus }> = {
  segments({ focus }) {
    if (!focus) return [];
    return focus.kind === "path" ? ["path", focus.fromId, focus.toId] : [focus.kind, focus.id];
  },
  parse([kind, id, otherId]) {
    if (!id) return {};
    if (kind === "path") return otherId ? { focus: { kind, fromId: id, toId: otherId } } : {};
    return kind === "concept" || kind === "relation" ? { focus: { kind, id } } : {};
  },
};

const reflect: Places<{ reflectionId?: string; compare?: Comparison }> = {
  segments({ reflectionId, compare }) {
    if (!reflectionId) return [];
    return compare ? [reflectionId, `${compare.before}-${compare.after}`, compare.part] : [reflectionId];
  },
  parse([reflectionId, range, part]) {
    if (!reflectionId) return {};
    const pair = parseRange(range);
    if (!pair || !isPart(part)) return { reflectionId };
    return { reflectionId, compare: { before: pair[0], after: pair[1], part } };
  },
};

const jobs: Places<{ jobId?: string }> = {
  segments: ({ jobId }) => (jobId ? [jobId] : []),
  parse: ([jobId]) => (jobId ? { jobId } : {}),
};

const PLACES = { corpus, graph, reflect, jobs };
export type ScreenName = keyof typeof PLACES;
export type Route = {
  [Name in ScreenName]: { screen: Name } & ReturnType<(typeof PLACES)[Name]["parse"]>;
}[ScreenName];

export const SCREEN_NAMES = Object.keys(PLACES) as ScreenName[];

export function formatRoute(route: Route): string {
  // the name and the place come from one line of the table
  const places: Pick<Places<never>, "segments"> = PLACES[route.screen];
  return `/${[route.screen, ...places.segments(route as never).map(encodeURIComponent)].join("/")}`;
}

export function hrefOf(route: Route): string {
  return `#${formatRoute(route)}`;
}

/** Anything that is not a route leads to the corpus: an old bookmark must not leave an empty window. */
export function parseRoute(location: string): Route {
  const [name = "", ...segments] = location.split("/").filter(Boolean).map(decodeSegment);
  const screen = SCREEN_NAMES.find((known) => known === name);
  return screen ? { screen, ...PLACES[screen].parse(segments) } : { screen: "corpus" };
}

function parseRange(text: string | undefined): [number, number] | undefined {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(text ?? "");
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function isPart(text: string | undefined): text is ReflectionPart {
  return text === "thinking" || text === "reflection" || text === "answer";
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // typed by hand; it will simply not be found
  }
}
