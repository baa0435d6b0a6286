/** The window's colours (thinking violet, reflection amber, chosen teal, rejected orange), light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1f2933; --muted: #5b6773; --line: #d8dee4; --paper: #fff; --band: #f3f5f7;
  --thinking: #6d28d9; --reflection: #92580a; --chosen: #0f766e; --rejected: #b4460b; --added: #dbeafe; --removed: #fde3d0; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7eb; --muted: #9aa5b1; --line: #37424d; --paper: #16191d; --band: #1e2329;
  --thinking: #b794f6; --reflection: #e0a84e; --chosen: #4fd1c5; --rejected: #f6935a; --added: #1e3a5f; --removed: #5a3418; } }
body { margin: 0; background: var(--paper); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 80px; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 19px; margin: 40px 0 12px; border-bottom: 1px solid var(--line); padding-bottom: 4px; }
h3 { font-size: 15px; } h4 { font-size: 13px; margin: 12px 0 4px; text-transform: none; }
nav a { margin-right: 14px; color: inherit; }
.muted { color: var(--muted); font-size: 13px; } .note { border-left: 3px solid var(--reflection); padding-left: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; } .n { text-align: right; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; font-size: 14px; margin: 0; background: var(--band); padding: 10px 12px; border-radius: 4px; }
blockquote { margin: 4px 0 12px; padding-left: 12px; border-left: 2px solid var(--line); }
details.pair { border: 1px solid var(--line); border-radius: 4px; padding: 8px 12px; margin: 6px 0; } summary { cursor: pointer; }
.tag { font-size: 12px; border: 1px solid var(--line); border-radius: 3px; padding: 0 5px; } .tag.filtered { color: var(--rejected); }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; } @media (max-width: 640px) { .two { grid-template-columns: 1fr; } }
.thinking { color: var(--thinking); } .reflection { color: var(--reflection); } .chosen { color: var(--chosen); } .rejected { color: var(--rejected); }
ins { background: var(--added); text-decoration: underline; } del { background: var(--removed); text-decoration: line-through; }
figure { margin: 16px 0; } figcaption { font-weight: 600; font-size: 13px; } svg { width: 100%; height: auto; }
.grid { stroke: var(--line); stroke-width: 0.7; } .tick { font-size: 10px; fill: var(--muted); } .tick.end { text-anchor: end; } .tick.middle { text-anchor: middle; }
.band { fill: var(--band); } .band.odd { fill: none; } .edge { stroke: var(--muted); stroke-width: 0.8; opacity: 0.6; }
.label { font-size: 9px; text-anchor: middle; fill: var(--text); }
.legend { font-size: 12px; } .legend span { margin-right: 14px; } .legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 5px; }
`;
