const KEY = "studio.place";

/** The window opens where it was left. */
export function rememberPlace(): void {
  const stored = localStorage.getItem(KEY);
  if (!window.location.hash && stored) history.replaceState(null, "", stored);
  const store = () => localStorage.setItem(KEY, window.location.hash);
  window.addEventListener("hashchange", store);
}
