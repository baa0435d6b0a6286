import { CloseButton, Loader, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";

export type SearchFieldProps = {
  label: string;
  value: string;
  onChange(value: string): void;
  isBusy?: boolean;
  className?: string;
};

/** The search of a screen: `/` brings the focus here (see app/shortcuts.ts), Esc empties it and then lets go. */
export function SearchField({ label, value, onChange, isBusy = false, className }: SearchFieldProps) {
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      value={value}
      data-focus-search
      {...(className ? { className } : {})}
      leftSection={isBusy ? <Loader size={14} /> : <IconSearch size={15} aria-hidden />}
      rightSection={
        value ? <CloseButton size="xs" aria-label="Clear the search" onClick={() => onChange("")} /> : <kbd>/</kbd>
      }
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        if (value) onChange("");
        else event.currentTarget.blur();
      }}
    />
  );
}
