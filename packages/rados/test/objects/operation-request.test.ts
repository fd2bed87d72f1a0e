import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "../../src/errors.ts";
import { ObjectTarget } from "../../src/objecter/target.ts";
import type { OperationError } from "../../src/objects/operation-error.ts";
import { OperationRequest } from "../../src/objects/operation-request.ts";
import { ReadOperation } from "../../src/objects/read-operation.ts";
import { FakeObjecter } from "../support/fake-objecter.ts";

const what = () => "cannot read object o of pool p";

function start(operation: ReadOperation<never[]> | { ops: ReadOperation["ops"] }, signal?: AbortSignal) {
  const objecter = new FakeObjecter();
  const request = new OperationRequest(new ObjectTarget(1, "o"), operation.ops, 0x10);
  return { objecter, request, done: request.perform(objecter, what, signal) };
}

test("outputs that come in portions are put together, and anew after a lost connection", async () => {
  const { objecter, request, done } = start(new ReadOperation().read({ length: 4 }));
  request.output(0, 0, 4);
  request.take(0, Buffer.from("xxx"), 0, 3, 0);
  request.output(0, 0, 4);
  request.take(0, Buffer.from("-ab"), 1, 3, 0);
  request.take(0, Buffer.from("cd"), 0, 2, 2);
  objecter.requests.length = 0;
  request.completed();
  await done;
  assert.equal(request.outputs[0]!.toString(), "abcd");
});

test("data is read into the caller's memory", async () => {
  const into = new Uint8Array(8);
  const { objecter, request, done } = start(new ReadOperation().read({ into: into.subarray(2) }));
  objecter.answer(0, [{ bytes: Buffer.from("abc") }]);
  await done;
  assert.equal(Buffer.from(into).toString("latin1"), "\0\0abc\0\0\0");
  assert.equal(request.outputs[0]!.length, 3);
  assert.equal(request.outputs[0]!.buffer, into.buffer);
});

test("an error names object, step and errno", async () => {
  const { objecter, done } = start(new ReadOperation().stat().getXattr("a"));
  objecter.answer(-61, [{}, { result: -61 }]);
  await assert.rejects(done, (error: OperationError) => {
    assert.equal(error.code, "ENODATA");
    assert.equal(error.step, 1);
    assert.equal(
      error.message,
      "cannot read object o of pool p: getXattr, step 1, failed: it has no such attribute (ENODATA)",
    );
    return true;
  });
});

test("unexpected bytes: the error gives the position", async () => {
  const { objecter, done } = start(new ReadOperation().compareExtent(100, Buffer.alloc(8)));
  objecter.answer(-4095 - 5, [{ result: -4095 - 5 }]);
  await assert.rejects(done, {
    code: "ECANCELED",
    mismatchAt: 5,
    message: /byte 5 differs from the expected data/,
  });
});

test("whoever aborts gets their own reason, and the objecter is told", async () => {
  const controller = new AbortController();
  const { objecter, done } = start(new ReadOperation().stat(), controller.signal);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(done, (error) => error === reason);
  assert.equal(objecter.requests.length, 0);
  await assert.rejects(
    start(new ReadOperation().stat(), controller.signal).done,
    (error) => error === reason,
  );
});

test("why there was no answer is told with what was attempted", async () => {
  const { objecter, done } = start(new ReadOperation().stat());
  const cause = new RadosError("SIPHON_RADOS_TIMEOUT", "no answer within 1 s", { retryable: true });
  objecter.cancel(objecter.requests[0]!, cause);
  const message = "cannot read object o of pool p: no answer within 1 s";
  await assert.rejects(done, { code: "SIPHON_RADOS_TIMEOUT", message, retryable: true });
});
