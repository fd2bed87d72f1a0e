import type { RenderedChart } from "./charts/render.ts";

/** A chart in a file next to the page. */
export function picture({ name, title }: RenderedChart): string {
  return `![${text(title)}](${name}.svg)`;
}

/** A table: the first column is left-aligned, the others right-aligned. */
export function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(" | ")} |`;
  const rule = heads.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(heads), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** A block of code whose fence is longer than any run of backticks in it. */
export function fenced(code: string): string {
  const runs = code.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}sh\n${code}\n${fence}`;
}

/** Text without any meaning to Markdown, on one line. */
export function text(value: string): string {
  return value.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>|#~&]/g, "\\$&");
}
