import assert from "node:assert/strict";
import { test } from "node:test";
import { functionName, placeName } from "../../../src/profile/symbols/names.ts";

test("versions of symbols and clones by the compiler are one function", () => {
  assert.equal(functionName("pthread_cond_wait@@GLIBC_2.3.2"), "pthread_cond_wait");
  assert.equal(functionName("clock_nanosleep@GLIBC_2.2.5"), "clock_nanosleep");
  assert.equal(functionName("fio_backend.constprop.0"), "fio_backend");
  assert.equal(functionName("td_io_queue.part.0.cold"), "td_io_queue");
  assert.equal(
    functionName("Objecter::_send_op(Objecter::Op*) [clone .cold]"),
    "Objecter::_send_op(Objecter::Op*)",
  );
});

test("names that only look like it stay as they are", () => {
  const name = "std::function<void (int)>::operator()(int) const";
  assert.equal(functionName(name), name);
  assert.equal(functionName("JS:*hot /srv/a@b.js:3"), "JS:*hot /srv/a@b.js:3");
});

test("code without symbols is named by its file or its kind", () => {
  assert.equal(placeName("/usr/lib/x86_64-linux-gnu/librbd.so.1.16.0"), "[librbd.so.1.16.0]");
  assert.equal(placeName("[vdso]"), "[vdso]");
  assert.equal(placeName(""), "[generated code]");
});
