import assert from "node:assert/strict";
import { test } from "node:test";
import { type Command, RadosError } from "@siphon/rados";
import { RbdError } from "../../src/errors.ts";
import { moduleCommand } from "../../src/manager/module-command.ts";

const command = { prefix: "rbd perf image stats" };
/** A manager that fails, and monitors that say so much of its health. */
const cluster = (error: Error, health: unknown) => ({
  command: async ({ prefix }: Command) => {
    if (prefix === command.prefix) throw error;
    if (health instanceof Error) throw health;
    return health;
  },
});
const noHandler = new RadosError(
  "EINVAL",
  "mgr refused it: No handler found for 'rbd perf image stats' (EINVAL)",
);
/** With the errno of the manager's answer, which is what rbd exits with. */
const failed = (error: unknown, errno: number): error is RbdError =>
  error instanceof RbdError && error.code === "SIPHON_RBD_UNSUPPORTED" && error.errno === errno;

test("a module that the manager could not load is told with the manager's reason, and not to be enabled", async () => {
  const message =
    "Module 'rbd_support' has failed dependency: PyO3 modules do not yet support subinterpreters";
  const checks = { MGR_MODULE_DEPENDENCY: { detail: [{ message: "Module 'nfs' has failed" }, { message }] } };
  await assert.rejects(moduleCommand(cluster(noHandler, { checks }), "rbd_support", command), (error) => {
    assert.ok(failed(error, -22));
    assert.ok(error.message.includes(message));
    assert.doesNotMatch(`${error.hint}`, /enable/);
    return true;
  });
});

test("where nobody knows why it does not run, the hint says how to find out", async () => {
  const disabled = new RadosError("EOPNOTSUPP", "Module 'rbd_support' is not enabled/loaded");
  for (const health of [{ checks: {} }, new RadosError("EACCES", "access denied")]) {
    await assert.rejects(moduleCommand(cluster(disabled, health), "rbd_support", command), (error) => {
      assert.ok(failed(error, -95));
      assert.match(`${error.hint}`, /ceph health detail.*ceph mgr module enable rbd_support/);
      return true;
    });
  }
});

test("what the module itself refuses is its own answer", async () => {
  const refused = new RadosError("EINVAL", "mgr refused it: invalid pool spec (EINVAL)");
  await assert.rejects(moduleCommand(cluster(refused, {}), "rbd_support", command), refused);
});
