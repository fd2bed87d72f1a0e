// A thread that is called in every turn of its event loop, since nothing consumes what an eventfd signals.
import { parentPort, workerData } from "node:worker_threads";
import { createEvent, signalEvent } from "../../src/vhost/native/event.ts";
import { whenReadable } from "../../src/vhost/native/libc.ts";

const event = createEvent();
signalEvent(event);
let calls = 0;
whenReadable(event, () => {
  // It is called before it ends.
  if (++calls === 1) parentPort!.postMessage("called");
});
parentPort!.on("message", () => {
  if (workerData === "throws") throw new Error("on purpose");
  process.exit(3);
});
