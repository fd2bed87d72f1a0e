// Builds everything that ships: `node scripts/build/build.ts [--program] [--if-changed]`; with --program the command
// alone.
import { parseArgs } from "node:util";
import { isProgramFresh, programDirectory } from "./checkout.ts";
import { buildLibraries } from "./libraries.ts";
import { buildProgram } from "./program.ts";

const { values } = parseArgs({
  options: { program: { type: "boolean" }, "if-changed": { type: "boolean" } },
});
if (!values.program) await buildLibraries();
if (!values["if-changed"] || !isProgramFresh()) await buildProgram(programDirectory);
