import { opFlag } from "../objecter/op-code.ts";
import type { Op } from "./op.ts";
import { assertVersion } from "./operations/asserts.ts";
import { exec } from "./operations/exec.ts";
import { compareExtent, stat } from "./operations/extents.ts";
import { type Comparison, compareOmap, type OmapGuard } from "./operations/omap.ts";
import { compareXattr } from "./operations/xattrs.ts";

/** A hint on the later use of the data for the OSD's cache (posix_fadvise). */
export type Advice = "random" | "sequential" | "willNeed" | "dontNeed" | "noCache";

/** A class of operations with the types of its values left open; `With` fills them in. */
export interface OperationKind {
  readonly values: unknown;
  readonly operation: unknown;
}

/** An operation of a kind once a step that gives a `Value` was added. */
export type With<Kind extends OperationKind, Values extends unknown[], Value> = OperationOf<
  Kind,
  [...Values, Value]
>;

/** The same whose last step may fail. */
export type Lenient<Kind extends OperationKind, Values extends unknown[]> = OperationOf<
  Kind,
  LastOptional<Values>
>;

/** The operation of a kind that has these values. */
export type OperationOf<Kind extends OperationKind, Values extends unknown[]> = (Kind & {
  readonly values: Values;
})["operation"];

/** Within a kind: its values, as a list of types. */
export type ValuesOf<Kind extends OperationKind> = Extract<Kind["values"], unknown[]>;

/** The values of an operation whose last step may fail. */
export type LastOptional<Values extends unknown[]> = Values extends [...infer Before, infer Last]
  ? [...Before, Last | undefined]
  : Values;

/**
 * Steps that an OSD executes atomically on one object: none if one fails, unless that one may fail (ObjectOperation in
 * src/osdc/Objecter.h). Each step has a value; for writes it is empty except for `exec` with `returnOutputs`.
 */
export abstract class ObjectOperation<Values extends unknown[], Kind extends OperationKind = OperationKind> {
  /** @internal */
  readonly ops: Op[] = [];

  /** Continues only if the object exists. */
  assertExists(): With<Kind, Values, void> {
    return this.add({ ...stat(), decode: () => {} });
  }

  /** Continues only if the object has this version (from `operate`); otherwise ERANGE or EOVERFLOW. */
  assertVersion(version: number): With<Kind, Values, void> {
    return this.add(assertVersion(version));
  }

  /** Continues only if these bytes are at the offset; otherwise `OperationError.mismatchAt` is the first difference. */
  compareExtent(offset: number, expected: Uint8Array): With<Kind, Values, void> {
    return this.add(compareExtent(offset, expected));
  }

  /**
   * Continues only if the comparison of the attribute with the value is true, otherwise ECANCELED: bytes with bytes, or
   * a number with the attribute's decimal text.
   */
  compareXattr(
    name: string,
    comparison: Comparison,
    value: Uint8Array | string | number,
  ): With<Kind, Values, void> {
    return this.add(compareXattr(name, comparison, value));
  }

  /**
   * Continues only if all of these comparisons of omap values are true, otherwise ECANCELED; a missing key has an empty
   * value.
   */
  compareOmap(guards: ReadonlyMap<string, OmapGuard>): With<Kind, Values, void> {
    return this.add(compareOmap(guards));
  }

  /** Calls a method of an object class. Returns its output; at most 64 bytes if it writes. */
  exec(className: string, method: string, input?: Uint8Array): With<Kind, Values, Buffer> {
    return this.add(exec(className, method, input));
  }

  /** Allows the last step to fail: the other steps are executed anyway, and its value is then undefined. */
  failOk(): Lenient<Kind, Values> {
    this.#flagLast(opFlag.failOk);
    return this as unknown as Lenient<Kind, Values>;
  }

  /** Tells the OSD how the data of the last step will be used. */
  advise(advice: Advice): this {
    this.#flagLast(adviceFlags[advice]);
    return this;
  }

  /**
   * The values of all steps, from their outputs and results.
   *
   * @internal
   */
  decode(outputs: readonly Buffer[], results: readonly number[]): Values {
    const values = this.ops.map((op, i) =>
      results[i]! < 0 ? undefined : op.decode(outputs[i]!, results[i]!),
    );
    return values as Values;
  }

  /** @internal */
  protected add<Value>(op: Op<Value>): With<Kind, Values, Value> {
    this.ops.push(op);
    return this as unknown as With<Kind, Values, Value>;
  }

  #flagLast(flag: number): void {
    const last = this.ops.at(-1);
    if (last === undefined) throw new RangeError("the operation has no step yet");
    last.flags = (last.flags ?? 0) | flag;
  }
}

const adviceFlags: Record<Advice, number> = {
  random: opFlag.adviseRandom,
  sequential: opFlag.adviseSequential,
  willNeed: opFlag.adviseWillNeed,
  dontNeed: opFlag.adviseDontNeed,
  noCache: opFlag.adviseNoCache,
};
