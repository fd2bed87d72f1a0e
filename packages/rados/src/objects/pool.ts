import { RadosError } from "../errors.ts";
import type { NotifyAnswers } from "../messages/notify-answers.ts";
import { requestFlag } from "../objecter/op-code.ts";
import { NO_SNAP, noSnapshots } from "../objecter/snap-context.ts";
import { ObjectTarget } from "../objecter/target.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import type { Pool as PoolState } from "../osdmap/pool.ts";
import { type ListOptions, ObjectListing } from "./object-listing.ts";
import {
  type ObjectOptions,
  type OperationOutcome,
  optionFlags,
  type PoolOptions,
} from "./object-options.ts";
import type { ObjectOperation } from "./operation.ts";
import { accessFlags, decoded, OperationRequest, type Submitter } from "./operation-request.ts";
import type { Stat } from "./operations/extents.ts";
import type { OmapKeysPage, OmapPage, OmapRange } from "./operations/omap.ts";
import type { Watcher } from "./operations/watchers.ts";
import type { PoolIdentity } from "./pool-identity.ts";
import { type PoolOps, PoolSnapshots } from "./pool-snapshots.ts";
import { ReadOperation, type ReadRange } from "./read-operation.ts";
import type { Lingers } from "./watch/lingers.ts";
import { type NotifyOptions, notifyWatchers } from "./watch/notify.ts";
import { Watch, type WatchEvents, type WatchOptions } from "./watch/watch.ts";
import { answering, type WatchHandler } from "./watch/watch-handler.ts";
import { WriteOperation } from "./write-operation.ts";

/** The parts of the client that a pool handle uses. */
export interface PoolHost extends PoolOps {
  readonly objecter: Submitter;
  readonly lingers: Lingers;
  /** The newest one. */
  osdmap(): OsdMap;
}

/**
 * A pool's objects: `await cluster.pool("name")`. Errors are RadosErrors with the OSD's errno as their code; they name the
 * object.
 */
export class Pool implements PoolIdentity {
  readonly id: number;
  readonly namespace: string;
  /** Snapshots of the whole pool, and ids of self-managed ones. */
  readonly snapshots: PoolSnapshots;
  readonly #host: PoolHost;
  readonly #options: PoolOptions;

  /** @internal */
  constructor(host: PoolHost, id: number, options: PoolOptions = {}) {
    this.#host = host;
    this.id = id;
    this.#options = options;
    this.namespace = options.namespace ?? "";
    this.snapshots = new PoolSnapshots(this, host);
  }

  /** A handle on the same pool with other options; missing options stay the same. */
  with(options: PoolOptions): Pool {
    return new Pool(this.#host, this.id, { ...this.#options, ...options });
  }

  get name(): string {
    return this.#host.osdmap().poolName(this.id) ?? `${this.id}`;
  }

  /**
   * The pool in the newest OSD map.
   *
   * @throws RadosError ENOENT once it was removed
   */
  get state(): PoolState {
    const state = this.#host.osdmap().pool(this.id);
    if (state === undefined) throw new RadosError("ENOENT", `pool ${this.id} no longer exists`);
    return state;
  }

  /** A target for repeated requests to one object (`ObjectRequest`). */
  target(name: string, key = this.#options.key): ObjectTarget {
    return new ObjectTarget(this.id, name, { namespace: this.namespace, key });
  }

  /** Carries out all steps of an operation, or none. */
  async operate<Values extends unknown[]>(
    object: string,
    operation: ObjectOperation<Values>,
    options: ObjectOptions = {},
  ): Promise<OperationOutcome<Values>> {
    const isWrite = operation instanceof WriteOperation;
    return this.#perform(object, operation, options, isWrite ? "write to" : "read");
  }

  /** Reads a range, or the whole object; returns fewer bytes at the end of the object. */
  async read(
    object: string,
    { offset, length, into, ...options }: ReadRange & ReadInto & ObjectOptions = {},
  ): Promise<Buffer> {
    const range = {
      ...(offset && { offset }),
      ...(length !== undefined && { length }),
      ...(into && { into }),
    };
    const { values } = await this.#perform(object, new ReadOperation().read(range), options, "read");
    return values[0];
  }

  async write(object: string, offset: number, data: Uint8Array, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().write(offset, data), options, "write");
  }

  /** Replaces the content of the object. */
  async writeFull(object: string, data: Uint8Array, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().writeFull(data), options, "write");
  }

  async append(object: string, data: Uint8Array, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().append(data), options, "append to");
  }

  async truncate(object: string, size: number, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().truncate(size), options, "truncate");
  }

  async remove(object: string, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().remove(), options, "remove");
  }

  async stat(object: string, options?: ObjectOptions): Promise<Stat> {
    const { values } = await this.#perform(object, new ReadOperation().stat(), options, "stat");
    return values[0];
  }

  /** @throws OperationError ENODATA if the object does not have the attribute */
  async getXattr(object: string, name: string, options?: ObjectOptions): Promise<Buffer> {
    const operation = new ReadOperation().getXattr(name);
    return (await this.#perform(object, operation, options, `read attribute ${name} of`)).values[0];
  }

  async getXattrs(object: string, options?: ObjectOptions): Promise<Map<string, Buffer>> {
    const operation = new ReadOperation().getXattrs();
    return (await this.#perform(object, operation, options, "read the attributes of")).values[0];
  }

  async setXattr(
    object: string,
    name: string,
    value: Uint8Array | string,
    options?: ObjectOptions,
  ): Promise<void> {
    await this.#perform(
      object,
      new WriteOperation().setXattr(name, value),
      options,
      `set attribute ${name} of`,
    );
  }

  async removeXattr(object: string, name: string, options?: ObjectOptions): Promise<void> {
    await this.#perform(
      object,
      new WriteOperation().removeXattr(name),
      options,
      `remove attribute ${name} of`,
    );
  }

  async getOmapKeys(
    object: string,
    range?: Omit<OmapRange, "prefix">,
    options?: ObjectOptions,
  ): Promise<OmapKeysPage> {
    const operation = new ReadOperation().getOmapKeys(range);
    return (await this.#perform(object, operation, options, "read omap keys of")).values[0];
  }

  async getOmapValues(object: string, range?: OmapRange, options?: ObjectOptions): Promise<OmapPage> {
    const operation = new ReadOperation().getOmapValues(range);
    return (await this.#perform(object, operation, options, "read omap values of")).values[0];
  }

  /** An object's omap, optionally after a key and with a prefix, page by page. */
  async *omapEntries(
    object: string,
    range?: OmapRange,
    options?: ObjectOptions,
  ): AsyncGenerator<[string, Buffer]> {
    for await (const page of this.omapPages(object, range, options)) yield* page;
  }

  /** The same, in the pages that the OSD sends: keys and their values; the last one may be empty. */
  async *omapPages(
    object: string,
    range: OmapRange = {},
    options?: ObjectOptions,
  ): AsyncGenerator<OmapPage["values"]> {
    for (let { after } = range; ; ) {
      const { values, more } = await this.getOmapValues(
        object,
        { ...range, ...(after !== undefined && { after }) },
        options,
      );
      yield values;
      after = [...values.keys()].at(-1);
      if (!more || after === undefined) return;
    }
  }

  async getOmapHeader(object: string, options?: ObjectOptions): Promise<Buffer> {
    const operation = new ReadOperation().getOmapHeader();
    return (await this.#perform(object, operation, options, "read the omap header of")).values[0];
  }

  async setOmapValues(
    object: string,
    values: ReadonlyMap<string, Uint8Array>,
    options?: ObjectOptions,
  ): Promise<void> {
    await this.#perform(object, new WriteOperation().setOmapValues(values), options, "set omap values of");
  }

  async removeOmapKeys(object: string, keys: Iterable<string>, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().removeOmapKeys(keys), options, "remove omap keys of");
  }

  /**
   * Calls a method of an object class and returns its output, as librados' exec does: the output of a method that
   * writes is lost. Writes with a snapshot context or with an output are `operate` with a WriteOperation.
   */
  async exec(
    object: string,
    className: string,
    method: string,
    input?: Uint8Array,
    options?: ObjectOptions,
  ): Promise<Buffer> {
    const operation = new ReadOperation().exec(className, method, input);
    return (await this.#perform(object, operation, options, `call ${className}.${method} on`)).values[0];
  }

  /** Rolls an object back to a snapshot. */
  async rollback(object: string, snapId: number, options?: ObjectOptions): Promise<void> {
    await this.#perform(object, new WriteOperation().rollback(snapId), options, "roll back");
  }

  /** Lists the pool's objects in the order of their hashes, from `options.cursor` on. */
  listObjects(options?: ListOptions): ObjectListing {
    return new ObjectListing(this, this.#host.objecter, options);
  }

  async listWatchers(object: string, options?: ObjectOptions): Promise<Watcher[]> {
    const operation = new ReadOperation().listWatchers();
    return (await this.#perform(object, operation, options, "list the watchers of")).values[0];
  }

  /** Watches an object and answers notifications, until the watch is closed or lost. */
  async watch(object: string, handler: WatchHandler, options?: WatchOptions): Promise<Watch> {
    return this.watchEvents(object, answering(handler), options);
  }

  /** As `watch`, but the caller acknowledges notifications. */
  async watchEvents(object: string, events: WatchEvents, options?: WatchOptions): Promise<Watch> {
    return Watch.open(this.#host.lingers, this.target(object), this.#text(object), events, options);
  }

  /** Notifies all watchers of an object; resolves when each has answered, or the time is up. */
  async notify(
    object: string,
    payload: Uint8Array = new Uint8Array(),
    options?: NotifyOptions,
  ): Promise<NotifyAnswers> {
    return notifyWatchers(this.#host.lingers, this.target(object), this.#text(object), payload, options);
  }

  async #perform<Values extends unknown[]>(
    object: string,
    operation: ObjectOperation<Values>,
    options: ObjectOptions = {},
    verb: string,
  ): Promise<OperationOutcome<Values>> {
    const { snapId, snapContext, timeout, key, mtime, signal } = { ...this.#options, ...options };
    const what = () => `cannot ${verb} ${this.#text(object)}`;
    const isWrite = operation instanceof WriteOperation;
    if (operation.ops.length === 0) throw new RangeError(`${what()}: the operation has no steps`);
    const flags =
      (isWrite ? requestFlag.write : requestFlag.read) | accessFlags(operation.ops) | optionFlags(options);
    const request = new OperationRequest(this.target(object, key), operation.ops, flags);
    request.snapId = isWrite ? NO_SNAP : (snapId ?? NO_SNAP);
    request.snapContext = snapContext ?? noSnapshots;
    request.timeout = timeout ?? 0;
    request.mtime = mtime?.getTime() ?? -1;
    await request.perform(this.#host.objecter, what, signal);
    const { version, outputs, results } = request;
    const answered = !isWrite || options.returnOutputs === true;
    const values = answered
      ? decoded(what, () => operation.decode(outputs, results))
      : (operation.ops.map(() => undefined) as Values);
    return { version, results, values };
  }

  #text(object: string): string {
    return `object ${object} of pool ${this.name}${this.namespace && ` in namespace ${this.namespace}`}`;
  }
}

export interface ReadInto {
  /** Buffer for the bytes, which limits their number unless `length` does; the result is a part of it. */
  into?: Uint8Array;
}
