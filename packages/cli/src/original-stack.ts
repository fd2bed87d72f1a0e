import { SourceMap } from "node:module";
import { posix } from "node:path";

/** A stack trace of the packaged program with its positions in the sources: `packages/cli/src/main.ts:12:3`. */
export function originalStack(stack: string): string {
  const maps: Record<symbol, unknown> = globalThis as never;
  const sourceMap = maps[Symbol.for("siphon.sourceMap")] as ((chunk: string) => string) | undefined;
  if (sourceMap === undefined) return stack;
  return stack.replaceAll(
    /siphon:([^\s():]+)\.js:(\d+):(\d+)/g,
    (place, chunk: string, line: string, column: string) => {
      try {
        const origin = new SourceMap(JSON.parse(sourceMap(chunk))).findOrigin(Number(line), Number(column));
        if (!("fileName" in origin)) return place;
        return `${posix.normalize(origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`;
      } catch {
        return place;
      }
    },
  );
}
