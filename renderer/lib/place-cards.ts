export type CardPlace = { topPx: number };

const GAP_PX = 8;

/**
 * Cards in one column, each at the height that it wants or as soon below it as the ones above allow; those that want
 * nothing follow at the end. Places come back in the order of the cards given.
 */
export function placeCards(cards: readonly { heightPx: number; wantedTopPx: number | null }[]): CardPlace[] {
  const places: CardPlace[] = cards.map(() => ({ topPx: 0 }));
  const order = cards
    .map((card, i) => ({ i, wanted: card.wantedTopPx ?? Number.POSITIVE_INFINITY }))
    .toSorted((a, b) => (a.wanted === b.wanted ? a.i - b.i : a.wanted - b.wanted));
  let free = 0;
  for (const { i, wanted } of order) {
    const topPx = Number.isFinite(wanted) ? Math.max(free, wanted) : free;
    places[i] = { topPx };
    free = topPx + cards[i]!.heightPx + GAP_PX;
  }
  return places;
}
