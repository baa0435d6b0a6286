import { useMemo } from "react";
import { navigate as navigateHash, useHashLocation } from "wouter/use-hash-location";
import { formatRoute, parseRoute, type Route } from "./routes.ts";

export function useRoute(): Route {
  const [location] = useHashLocation();
  return useMemo(() => parseRoute(location), [location]);
}

/** `replace` for moves inside a place (another page of the same paper), so that "back" leaves the place. */
export function navigate(route: Route, options: { replace?: boolean } = {}): void {
  navigateHash(formatRoute(route), options);
}
