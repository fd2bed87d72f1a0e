import { goThroughWorkers } from "./through-workers.ts";

// SIPHON_WORKERS loads this module before live tests: see scripts/test-live/file.ts.
goThroughWorkers(Number(process.env.SIPHON_WORKERS));
