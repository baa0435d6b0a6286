import {
  ActionIcon,
  Button,
  createTheme,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  Tooltip,
} from "@mantine/core";
import { dark, light } from "../lib/colours.ts";

/** Steps 6 and 7 carry white text; the lighter ones serve the dark scheme. */
const accent: MantineColorsTuple = [
  "#e9f2fc",
  "#d3e4f8",
  "#a6c9f0",
  "#79b1ee",
  "#4d92de",
  "#2f78c7",
  "#1c5fa8",
  "#174f8d",
  "#123f71",
  "#0d2f55",
];
const greys: MantineColorsTuple = [
  dark.ink,
  "#c4ccd5",
  dark.dim,
  "#78838f",
  "#46515d",
  "#353e48",
  "#222931",
  dark.surface,
  dark.panel,
  dark.sunken,
];

export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "13px", lg: "15px", xl: "18px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "2px", sm: "4px", md: "4px", lg: "6px", xl: "8px" },
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "15px", lineHeight: "20px" }, h2: { fontSize: "13px", lineHeight: "18px" } },
  },
  defaultRadius: "sm",
  colors: { accent, dark: greys },
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 5 },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: Button.extend({ defaultProps: { size: "xs" } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray", size: 28 } }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 350, withArrow: false, transitionProps: { duration: 80 }, multiline: true, maw: 320 },
    }),
    TextInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: withMantineNames(light),
  dark: withMantineNames(dark),
});

function withMantineNames(tokens: typeof light): Record<string, string> {
  const named = Object.fromEntries(Object.entries(tokens).map(([name, value]) => [`--${name}`, value]));
  return {
    ...named,
    "--mantine-color-body": tokens.surface,
    "--mantine-color-text": tokens.ink,
    "--mantine-color-dimmed": tokens.dim,
    "--mantine-color-placeholder": tokens.dim,
    "--mantine-color-default-border": tokens.line,
    "--mantine-color-anchor": tokens.accent,
    "--mantine-color-error": tokens.rejected,
  };
}
