import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

export type IconButtonProps = {
  label: string;
  /** Shown after the label in the tooltip. */
  shortcut?: string;
  children: ReactNode;
  onClick(): void;
  disabled?: boolean;
  isActive?: boolean;
};

export function IconButton({ label, shortcut, children, onClick, disabled = false, isActive }: IconButtonProps) {
  return (
    <Tooltip label={shortcut ? `${label} (${shortcut})` : label}>
      <ActionIcon
        aria-label={label}
        {...(isActive === undefined ? {} : { "aria-pressed": isActive })}
        variant={isActive ? "light" : "subtle"}
        color={isActive ? "accent" : "gray"}
        disabled={disabled}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
