/** The field that `/` leads to. */
import { Icon } from "./icons.tsx";

interface Props {
  label: string;
  placeholder: string;
  value: string;
  onInput: (value: string) => void;
  /** Gets what was typed, unless that is nothing. */
  find: (wanted: string) => void;
}

/** Looks for what is typed when Enter is pressed, and says so. */
export function SearchField({ label, placeholder, value, onInput, find }: Props) {
  const submit = (event: Event) => {
    event.preventDefault();
    if (value.trim()) find(value.trim());
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <Icon name="search" />
      <input class="input" data-search type="search" aria-label={label} placeholder={placeholder} autocomplete="off" spellcheck={false} value={value}
        onInput={(event) => onInput(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} />
      {value ? <span class="search-hint" role="status">Press Enter</span> : <kbd aria-hidden="true">/</kbd>}
    </form>
  );
}
