import assert from "node:assert/strict";
import { test } from "node:test";
import { speedscope } from "../../../src/profile/formats/speedscope.ts";
import { exampleProfile } from "../fixtures.ts";

test("each thread name is a profile whose samples point at shared frames", () => {
  const { $schema, shared, profiles } = speedscope(exampleProfile());
  assert.equal($schema, "https://www.speedscope.app/file-format-schema.json");
  const [worker, timer] = profiles;
  assert.equal(worker.name, "msgr-worker-0");
  assert.deepEqual(
    worker.samples[0].map((index) => shared.frames[index].name),
    ["clone3", "start_thread", "EventCenter::process_events(unsigned int)", "epoll_wait"],
  );
  assert.equal(timer.samples[0][0], worker.samples[0][0], "one function, one frame");
});

test("weights are milliseconds, and end where the profile ends", () => {
  const [worker] = speedscope(exampleProfile()).profiles;
  assert.deepEqual(worker.weights, [4000, 3500, 2400, 100]);
  assert.equal(worker.startValue, 0);
  assert.equal(worker.endValue, 10_000);
  assert.equal(worker.weights.length, worker.samples.length);
});
