import { IconCommand } from "@tabler/icons-react";
import { IconButton } from "../components/IconButton.tsx";
import { hrefOf, type ScreenName } from "../lib/routes.ts";
import { ActivityIndicator } from "./ActivityIndicator.tsx";
import classes from "./Rail.module.css";
import { ColorSchemeMenu } from "./ColorSchemeMenu.tsx";
import { SCREENS } from "./screens.ts";

export function Rail({ screen, onOpenPalette }: { screen: ScreenName; onOpenPalette(): void }) {
  return (
    <nav className={classes.rail} aria-label="Screens">
      {SCREENS.map(({ name, label, Icon }) => (
        <a
          key={name}
          href={hrefOf({ screen: name })}
          className={classes.item}
          {...(name === screen ? { "aria-current": "page" as const } : {})}
        >
          <Icon size={20} stroke={1.6} aria-hidden />
          {label}
        </a>
      ))}
      <div className={classes.foot}>
        <ActivityIndicator />
        <IconButton label="Commands" shortcut="Ctrl K" onClick={onOpenPalette}>
          <IconCommand size={18} stroke={1.6} />
        </IconButton>
        <ColorSchemeMenu />
      </div>
    </nav>
  );
}
