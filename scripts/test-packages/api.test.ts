import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../build/checkout.ts";

test("the API reference builds without warnings: every type in a public signature is exported", () => {
  execFileSync(process.execPath, [join(root, "scripts/api/reference.mjs"), "--check"], {
    stdio: ["ignore", 2, 2],
  });
});
