import assert from "node:assert/strict";
import { test } from "node:test";
import { op, wasmModule, webAssembly } from "../src/wasm.ts";

type Function = (...parameters: number[]) => number;

function assembled(functions: Parameters<typeof wasmModule>[0]): Record<string, Function> {
  const memory = new webAssembly!.Memory({ initial: 1 });
  const module = new webAssembly!.Module(wasmModule(functions));
  return new webAssembly!.Instance(module, { env: { memory } }).exports as Record<string, Function>;
}

test("constants of every length come out as they went in", () => {
  for (const value of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)]) {
    const { constant } = assembled([
      { name: "constant", parameters: 0, locals: {}, body: [op.const(value)] },
    ]);
    assert.equal(constant!(), value);
  }
});

test("a loop runs as long as its condition holds, and a module has several functions", () => {
  const [last, sum] = [0, 1];
  const { sumTo, larger } = assembled([
    {
      name: "sumTo",
      parameters: 1,
      locals: { i32: 1 },
      body: [
        op.while(
          [op.const(0), op.get(last), op.ltU],
          [
            ...[op.get(sum), op.get(last), op.add, op.set(sum)],
            ...[op.get(last), op.const(1), op.sub, op.set(last)],
          ],
        ),
        op.get(sum),
      ],
    },
    {
      name: "larger",
      parameters: 2,
      locals: {},
      body: [op.if([op.get(1), op.get(0), op.gtU], [op.get(1), op.set(0)]), op.get(0)],
    },
  ]);
  assert.equal(sumTo!(100), 5050);
  assert.equal(sumTo!(0), 0);
  assert.equal(larger!(3, 7), 7);
  assert.equal(larger!(9, 7), 9);
});
