import { goThroughWorkers } from "./through-workers.ts";

// Loaded in front of live tests by SIPHON_WORKERS: see scripts/test-live/file.ts.
goThroughWorkers(Number(process.env.SIPHON_WORKERS));
