import type { ListedRung } from "@siphon/lab";

/** All rungs, for the terminal: what each one is for, and why this machine cannot measure it. */
export function rungsInWords(rungs: readonly ListedRung[]): string {
  const none = rungs.filter(({ why }) => why === undefined);
  const beside = rungs.filter(({ on }) => on !== undefined);
  const ladder = rungs.filter(({ why, on }) => why !== undefined && on === undefined);
  return [
    "The ladder:",
    ...ladder.flatMap(described),
    ...(beside.length > 0
      ? ["", "Further rungs, measured only when named, together with the rung that they change:"]
      : []),
    ...beside.flatMap(described),
    ...(none.length > 0 ? ["", "No rungs, on any host:"] : []),
    ...none.flatMap(described),
  ].join("\n");
}

function described({ name, title, why, on, source, missing }: ListedRung): string[] {
  const changed = on === undefined ? "" : `, changes ${on}`;
  return [
    "",
    `${missing === undefined ? "  " : "- "}${name}: ${title.replace(/^\+ /, "")}${changed}`,
    ...(why === undefined ? [] : [`    ${why}`]),
    ...(source === undefined ? [] : [`    ${source}`]),
    ...(missing === undefined ? [] : [`    ${why === undefined ? "Why" : "Not on this host"}: ${missing}`]),
  ];
}
