import type { ListedRung } from "@siphon/lab";

/** All rungs, for the terminal: what each is, and why it cannot be climbed here. */
export function rungsInWords(rungs: readonly ListedRung[]): string {
  const [ladder, beside] = [rungs.filter(({ on }) => on === undefined), rungs.filter(({ on }) => on)];
  return [
    "The ladder:",
    ...ladder.flatMap(described),
    ...(beside.length > 0
      ? ["", "Beside the ladder, climbed when they are named, with the rung that they change:"]
      : []),
    ...beside.flatMap(described),
  ].join("\n");
}

function described({ name, title, why, on, source, missing }: ListedRung): string[] {
  const changed = on === undefined ? "" : `, changes ${on}`;
  return [
    "",
    `${missing === undefined ? "  " : "- "}${name}: ${title.replace(/^\+ /, "")}${changed}`,
    `    ${why}`,
    ...(source === undefined ? [] : [`    ${source}`]),
    ...(missing === undefined ? [] : [`    Not here: ${missing}`]),
  ];
}
