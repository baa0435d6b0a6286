import type { ConceptType } from "../../main/shared/contract/graph.ts";

/**
 * [Note: colours] One accent and five meanings, the same on every screen: thinking violet, reflection amber, answer
 * neutral ink, chosen teal, rejected orange. Added text is tinted blue and underlined, removed text orange and struck
 * through; blue and orange stay apart for every common kind of colour blindness, and no colour is the only sign.
 * Each name below becomes a CSS variable: `ink` is `var(--ink)`.
 */
export const light = {
  surface: "#ffffff",
  panel: "#f6f7f9",
  sunken: "#eceff3",
  hover: "#eef2f7",
  selected: "#e3edf9",
  line: "#dde2e8",
  "line-strong": "#bcc5d0",
  ink: "#1a1f26",
  dim: "#566170",
  accent: "#1c5fa8",
  "accent-tint": "#e3edf9",
  thinking: "#6a3fc0",
  "thinking-tint": "#efe9fb",
  reflection: "#8a5600",
  "reflection-tint": "#fdf1d8",
  chosen: "#0a6c63",
  "chosen-tint": "#dcf3f0",
  rejected: "#ad4208",
  "rejected-tint": "#fdeadf",
  added: "#174a8c",
  "added-tint": "#dceafc",
  removed: "#8f3a08",
  "removed-tint": "#fde5d6",
  hit: "#ffd84d",
  mark: "#ffefb3",
  track: "#d7dde5",
};

export const dark: typeof light = {
  surface: "#15191e",
  panel: "#1b2026",
  sunken: "#101317",
  hover: "#222931",
  selected: "#1d3350",
  line: "#2c343d",
  "line-strong": "#46515d",
  ink: "#e3e7ec",
  dim: "#9ba6b3",
  accent: "#79b1ee",
  "accent-tint": "#1d3350",
  thinking: "#baa2f5",
  "thinking-tint": "#2c2448",
  reflection: "#e3b557",
  "reflection-tint": "#3a2e12",
  chosen: "#5cc9bc",
  "chosen-tint": "#12332f",
  rejected: "#f39c6b",
  "rejected-tint": "#40230f",
  added: "#a9cefa",
  "added-tint": "#18375c",
  removed: "#f5b791",
  "removed-tint": "#4a2a12",
  hit: "#ffd84d",
  mark: "#574b14",
  track: "#343d47",
};

export type ColorScheme = "light" | "dark";

/**
 * Kinds of concepts on the graph. Hues keep away from the five meanings above where eight hues can; the kind is
 * written out wherever a single concept is shown.
 */
export const conceptColours: Record<ColorScheme, Record<ConceptType, string>> = {
  light: {
    material: "#2f6db3",
    structure: "#3aa3c9",
    property: "#c7576d",
    process: "#2c8a4b",
    method: "#87852f",
    function: "#a2418f",
    organism: "#85573a",
    other: "#7d8894",
  },
  dark: {
    material: "#6ea6e8",
    structure: "#6fd0ee",
    property: "#ee8a9c",
    process: "#63c483",
    method: "#c3c064",
    function: "#dc86cb",
    organism: "#c79a7c",
    other: "#98a3af",
  },
};
