/** Every place of the window that can be gone back to. The text form stands in the address after `#`. */
export type Route =
  | { screen: "corpus"; documentId?: string; page?: number; span?: { start: number; end: number } }
  | { screen: "graph"; focus?: GraphFocus }
  | { screen: "reflect"; reflectionId?: string; compare?: Comparison }
  | { screen: "jobs"; jobId?: string };
export type GraphFocus =
  | { kind: "concept"; id: string }
  | { kind: "relation"; id: string }
  | { kind: "path"; fromId: string; toId: string };
export type Comparison = { before: number; after: number; part: ReflectionPart };
export type ReflectionPart = "thinking" | "reflection" | "answer";
export type ScreenName = Route["screen"];

export function formatRoute(route: Route): string {
  return `/${route.screen}${segmentsOf(route)
    .map((segment) => `/${encodeURIComponent(segment)}`)
    .join("")}`;
}

export function hrefOf(route: Route): string {
  return `#${formatRoute(route)}`;
}

/** Anything that is not a route leads to the corpus: an old bookmark must not leave an empty window. */
export function parseRoute(location: string): Route {
  const [screen = "", ...segments] = location.split("/").filter(Boolean).map(decodeSegment);
  if (screen === "graph") return { screen, ...parseGraph(segments) };
  if (screen === "reflect") return { screen, ...parseReflect(segments) };
  if (screen === "jobs") return segments[0] ? { screen, jobId: segments[0] } : { screen };
  return { screen: "corpus", ...parseCorpus(screen === "corpus" ? segments : []) };
}

function segmentsOf(route: Route): string[] {
  if (route.screen === "jobs") return route.jobId ? [route.jobId] : [];
  if (route.screen === "graph") {
    if (!route.focus) return [];
    return route.focus.kind === "path"
      ? ["path", route.focus.fromId, route.focus.toId]
      : [route.focus.kind, route.focus.id];
  }
  if (route.screen === "reflect") {
    if (!route.reflectionId) return [];
    const { compare } = route;
    return compare ? [route.reflectionId, `${compare.before}-${compare.after}`, compare.part] : [route.reflectionId];
  }
  if (!route.documentId) return [];
  if (route.page === undefined) return [route.documentId];
  const page = [route.documentId, String(route.page)];
  return route.span ? [...page, `${route.span.start}-${route.span.end}`] : page;
}

function parseCorpus([documentId, page, span]: string[]): Omit<Extract<Route, { screen: "corpus" }>, "screen"> {
  if (!documentId) return {};
  const pageNumber = Number(page);
  if (!Number.isInteger(pageNumber) || pageNumber < 1) return { documentId };
  const range = parseRange(span);
  return { documentId, page: pageNumber, ...(range ? { span: { start: range[0], end: range[1] } } : {}) };
}

function parseGraph([kind, id, otherId]: string[]): { focus?: GraphFocus } {
  if (!id) return {};
  if (kind === "path") return otherId ? { focus: { kind, fromId: id, toId: otherId } } : {};
  return kind === "concept" || kind === "relation" ? { focus: { kind, id } } : {};
}

function parseReflect([reflectionId, range, part]: string[]): { reflectionId?: string; compare?: Comparison } {
  if (!reflectionId) return {};
  const pair = parseRange(range);
  if (!pair || !isPart(part)) return { reflectionId };
  return { reflectionId, compare: { before: pair[0], after: pair[1], part } };
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
