import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** A stack trace with the places in the bundle replaced by those in the sources; what is not of the bundle stays as it is. */
export function originalStack(stack: string): string {
  return stack.replaceAll(
    /([^\s()]+\/siphon\.cjs):(\d+):(\d+)/g,
    (place, path: string, line: string, column: string) => {
      try {
        const { SourceMap } = process.getBuiltinModule("node:module");
        const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")));
        const origin = map.findOrigin(Number(line), Number(column));
        if (!("fileName" in origin)) return place;
        return `${resolve(dirname(path), origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`;
      } catch {
        return place;
      }
    },
  );
}
