import assert from "node:assert/strict";
import { test } from "node:test";
import { treeText } from "../../../src/profile/formats/tree-text.ts";
import { exampleProfile } from "../fixtures.ts";

test("the inverse tree puts functions above their callers, in the study's form", () => {
  const text = treeText(exampleProfile(), "inverse");
  assert.ok(text.includes("msgr-worker-0: 100 samples, 60 of them on a CPU (62 % of a core)\n"), text);
  assert.ok(
    text.includes(`
+ 40.00% epoll_wait
|+ 40.00% EventCenter::process_events(unsigned int)
| + 40.00% start_thread
|  + 40.00% clone3
+ 35.00% _aesni_ctr32_ghash_6x
|+ 35.00% aes_gcm_cipher
| + 35.00% read()
|  + 35.00% EventCenter::process_events(unsigned int)
|   + 35.00% start_thread
|    + 35.00% clone3
+ 25.00% memcpy
 + 24.00% read()
`),
    text,
  );
});

test("the forward tree begins where threads begin; a branch hangs on a line while others follow it", () => {
  const text = treeText(exampleProfile(), "forward");
  assert.ok(
    text.includes(`
+ 100.00% clone3
 + 100.00% start_thread
  + 100.00% EventCenter::process_events(unsigned int)
   + 59.00% read()
   |+ 35.00% aes_gcm_cipher
   ||+ 35.00% _aesni_ctr32_ghash_6x
   |+ 24.00% memcpy
   + 40.00% epoll_wait
`),
    text,
  );
});

test("functions below half a percent are left out", () => {
  const profile = exampleProfile();
  const [{ stacks }] = profile.groups;
  stacks.push({ frames: ["rare"], samples: 0, running: 0 });
  assert.doesNotMatch(treeText(profile, "forward"), /rare/);
});

test("the CPU use of every thread of a name is given", () => {
  assert.match(
    treeText(exampleProfile(), "forward"),
    /safe_timer: 200 samples, 0 of them on a CPU \(0 %, 0 % of a core\)/,
  );
});
